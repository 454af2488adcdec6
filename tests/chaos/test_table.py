"""The published table: of all cases there are, good, and said to be older than the code where it is."""

import subprocess
from fnmatch import fnmatchcase

import pytest

from tests.chaos.cases import CASES
from tests.docs.generated import GENERATED
from tests.docs.page import DOCS, ROOT, generated
from tests.docs.reliability import FIGURES, GROUPS, last_run

CODE = ("appliance", "web", "store", "touchpoints", "tests/chaos")


def test_the_last_run_held_every_case_and_all_were_good() -> None:
    """A new case needs a new run: `python3 build.py chaos --write`."""
    run = last_run()
    assert [one["name"] for one in run["cases"]] == list(CASES)
    for one in run["cases"]:
        assert one.keys() >= {"name", "seconds", *FIGURES}
        assert one["tried"] > 0, one
        assert (one["lost"], one["stuck"], one["admitted"]) == (0, 0, 0), one


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
    command = ["git", "log", "--format=%h", f"{last_run()['commit']}..HEAD", "--", *CODE]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        pytest.skip("there is no Git to ask")
    if done.returncode:
        pytest.skip("the commit of the last run is not in this clone")
    if newer := done.stdout.split():
        pytest.skip(f"{len(newer)} commits since the last run of `build.py chaos --write` changed the code it speaks of")
    assert not newer
