"""The tables of the last runs of `build.py chaos`, for the documents: they are in docs/chaos.json, which `--write` makes."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from tests.chaos.kept import last_runs

FIGURES = ("tried", "lost", "repeated", "stuck", "admitted")
# What belongs together for who reads the first page; by the cases' names.
GROUPS = {
    "kill -9 of the agent, the proxy, or both": ("agent-steps", "proxy-steps", "storm", "kill-storm"),
    "kill -9 in the middle of an upgrade": ("upgrade",),
    "power that fails: what was not fsynced is gone, or torn": ("power",),
    "networks that cut, delay, double, fall silent or crawl": (
        "exchanges",
        "bad-line",
        "half-open",
        "idle-*",
        "asleep",
        "slow-line",
    ),
    "clocks that are wrong or jump": ("clock*",),
    "an agent that falls silent while another takes over": ("lease-*",),
    "disks that are full, read-only, broken or slow, and damaged files": ("disk-*", "corrupt"),
    "backups that are put back": ("restored-*",),
    "an hour at half of full speed": ("soak",),
    "too little memory, no file handles, a dead listener": ("memory", "handles*", "accepting"),
    "crowds of hostile connections, and requests hidden in requests": ("crowd*",),
    "an agent, a proxy or a middlebox that lies": ("hostile-*", "middlebox"),
    "calls and bytes that machines make up": ("described-calls", "fuzz"),
    "switching between direct and proxy under load": ("switch",),
    "a seeded simulation: all of this at once, in virtual time": ("simulation",),
}


def by_case() -> str:
    """Every case, as its last run found it."""
    runs = last_runs()
    rows = [[one["name"], _length(one), one["commit"][:8], f"{one['seconds']:,.0f}", *_figures([one])] for one in runs]
    table = _table(("Case", "Run", "Commit", "Seconds"), rows)
    return f"{table}\n\nWhat the last `soak` measured, of agent and proxy together:\n\n{_soaked(runs)}"


def by_group() -> str:
    """The same for the first page."""
    runs = last_runs()
    rows = []
    for title, names in GROUPS.items():
        cases = [one for one in runs if any(fnmatchcase(one["name"], name) for name in names)]
        rows.append([title, _minutes(cases), *_figures(cases)])
    rows.append(["**all**", _minutes(runs), *_figures(runs)])
    short = sum(one["short"] for one in runs)
    of = f"; {short} of {len(runs)} cases as briefly as the test suite holds them" if short else ""
    words = f"The last runs of `python3 build.py chaos`{of}. [Case by case](docs/reliability.md#the-cases), with their commits."
    return f"{words}\n\n{_table(('What happens', 'Minutes'), rows)}"


def _soaked(runs: Iterable[dict[str, Any]]) -> str:
    (soak,) = (one for one in runs if one["name"] == "soak")
    return "\n".join(f"- {note}" for note in soak["notes"])


def _minutes(runs: Iterable[dict[str, Any]]) -> str:
    minutes = sum(one["seconds"] for one in runs) / 60
    return f"{minutes:.0f}" if minutes >= 1 else "under 1"


def _length(run: dict[str, Any]) -> str:
    return "short" if run["short"] else "long"


def _figures(cases: Iterable[dict[str, Any]]) -> list[str]:
    cases = list(cases)
    return [f"{sum(one[figure] for one in cases):,}" for figure in FIGURES]


def _table(heads: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    words = sum(head in {"Case", "Run", "Commit", "What happens"} for head in heads)
    lines = [
        [*heads, *(figure.capitalize() for figure in FIGURES)],
        [*["---"] * words, *["---:"] * (len(heads) - words + len(FIGURES))],
        *rows,
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
