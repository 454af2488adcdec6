"""The published table: of all cases there are, good, and said to be older than the code where it is."""

import json
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.chaos.cases import CASES
from tests.chaos.kept import keep, last_runs
from tests.docs.generated import GENERATED
from tests.docs.page import DOCS, ROOT, generated
from tests.docs.reliability import FIGURES, GROUPS

CASES_OF = ("attack", "chaos", "released", "simulation")  # of which the cases are made
CODE = ("appliance", "web", "store", "touchpoints", *(f"tests/{name}" for name in CASES_OF))


def test_the_last_run_of_every_case_was_good() -> None:
    """A new case needs a run: `python3 build.py chaos NAME --write`."""
    runs = last_runs()
    assert [one["name"] for one in runs] == list(CASES)
    for one in runs:
        assert one.keys() >= {"name", "seconds", "commit", "short", "notes", *FIGURES}
        assert one["tried"] > 0, one
        assert (one["lost"], one["stuck"], one["admitted"]) == (0, 0, 0), one
        assert "why" not in one, one


def test_a_run_of_one_case_leaves_the_others(tmp_path: Path) -> None:
    """What is kept of a case is its last run, in the order of the cases; one that is no more goes."""
    file = tmp_path / "chaos.json"
    keep({"commit": "a", "short": True, "cases": [{"name": "x"}, {"name": "y"}, {"name": "gone"}]}, order=["y", "x"], file=file)
    keep({"commit": "b", "short": False, "cases": [{"name": "x"}]}, order=["y", "x"], file=file)
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "cases": [{"name": "y", "commit": "a", "short": True}, {"name": "x", "commit": "b", "short": False}]
    }


def test_every_case_is_in_one_group_of_the_first_page() -> None:
    """None is left out of the sum, and none is in it twice."""
    for name in CASES:
        assert [title for title, names in GROUPS.items() if any(fnmatchcase(name, one) for one in names)], name
        assert sum(any(fnmatchcase(name, one) for one in names) for names in GROUPS.values()) == 1, name


@pytest.mark.parametrize("page", ["reliability.md", "../README.md"])
def test_the_documents_show_it(page: str) -> None:
    """As `python -m tests.docs` writes it."""
    assert generated((DOCS / page).read_text(encoding="utf-8")) == GENERATED[page]().strip()


def test_it_is_said_when_the_code_has_gone_on() -> None:
    """Figures of an older commit are no lie, but somebody should know: the reason of the skip says how much older."""
    older = 0
    for commit in {one["commit"] for one in last_runs()}:
        command = ["git", "log", "--format=%h", f"{commit}..HEAD", "--", *CODE]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        except OSError:
            pytest.skip("there is no Git to ask")
        if done.returncode:
            pytest.skip(f"the commit {commit} of a last run is not in this clone")
        older = max(older, len(done.stdout.split()))
    if older:
        pytest.skip(f"up to {older} commits since the last runs of `build.py chaos --write` changed the code they speak of")
