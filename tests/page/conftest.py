"""The stand-in process for the page's tests."""

from pathlib import Path

import pytest

from tests.web.api.stand_in import StandIn


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(spool=tmp_path)
