"""The table of the last run of `build.py chaos`, for the documents: it is in docs/chaos.json, which `--write` makes."""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from tests.docs.page import DOCS

FILE = DOCS / "chaos.json"
FIGURES = ("tried", "lost", "repeated", "stuck", "admitted")
# What belongs together for who reads the first page; by the cases' names.
GROUPS = {
    "kill -9 of the agent, the proxy, or both": ("agent-steps", "proxy-steps", "storm", "kill-storm"),
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
    "too little memory, no file handles, a dead listener": ("memory", "handles", "accepting"),
    "crowds of hostile connections, and requests hidden in requests": ("crowd*",),
    "an agent, a proxy or a middlebox that lies": ("hostile-*", "middlebox"),
    "calls and bytes that machines make up": ("described-calls", "fuzz"),
    "switching between direct and proxy under load": ("switch",),
    "a seeded simulation: all of this at once, in virtual time": ("simulation",),
}


def last_run() -> dict[str, Any]:
    """`{commit, short, cases: [{name, seconds, tried, lost, repeated, stuck, admitted}]}`."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def by_case() -> str:
    """Every case of the last run."""
    run = last_run()
    rows = [[one["name"], f"{one['seconds']:.0f}", *_figures([one])] for one in run["cases"]]
    return f"{_of(run)}\n\n{_table(('Case', 'Seconds'), rows)}"


def by_group() -> str:
    """The same for the first page."""
    run = last_run()
    rows = []
    for title, names in GROUPS.items():
        cases = [one for one in run["cases"] if any(fnmatchcase(one["name"], name) for name in names)]
        rows.append([title, *_figures(cases)])
    rows.append(["**all**", *_figures(run["cases"])])
    return f"{_of(run)}\n\n{_table(('What happens',), rows)}"


def _of(run: dict[str, Any]) -> str:
    length = "A short run" if run["short"] else "The last run"
    minutes = sum(one["seconds"] for one in run["cases"]) / 60
    return f"{length} of `python3 build.py chaos`, at commit `{run['commit'][:10]}`, {minutes:.0f} minutes:"


def _figures(cases: Iterable[dict[str, Any]]) -> list[str]:
    cases = list(cases)
    return [f"{sum(one[figure] for one in cases):,}" for figure in FIGURES]


def _table(heads: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    lines = [
        [*heads, *(figure.capitalize() for figure in FIGURES)],
        ["---", *["---:"] * (len(heads) - 1 + len(FIGURES))],
        *rows,
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
