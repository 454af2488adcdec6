"""Mangled bytes at everything that reads a stranger's: nothing comes out but our own refusals."""

from pathlib import Path
from random import Random

import pytest

from tests.attack.forms import send_mangled
from tests.attack.mangle import mangled
from tests.attack.targets import targets

TIMES = 60
TARGETS = targets()


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_bring_anything_but_a_refusal(name: str) -> None:
    """Whatever was done to bytes that were right; `build.py chaos fuzz` goes on with this for half an hour."""
    target, chance = TARGETS[name], Random(f"mangled {name}")
    for seed in target.seeds:
        target.take(seed)
    for _ in range(TIMES):
        target.take(mangled(chance, target.seeds))


@pytest.mark.anyio
@pytest.mark.parametrize("proxy", [False, True])
async def test_no_form_makes_the_page_fail(tmp_path: Path, *, proxy: bool) -> None:
    """Every address that takes a body, by form, in parts and as JSON; of the agent's page and of the operator's."""
    sent, faults = await send_mangled(tmp_path / "data", Random("forms"), rounds=2, proxy=proxy)
    assert faults == []
    assert sent > 40
