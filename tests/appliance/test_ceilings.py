import pytest

from appliance.ceilings import ceilings_here, within_handles
from web.listener.crowd import Ceilings


@pytest.mark.parametrize(
    ("handles", "total"), [(None, 2000), (16_384, 2000), (2512, 2000), (2000, 1488), (1024, 512), (512, 256), (96, 48)]
)
def test_strangers_leave_handles_to_all_else(handles: int | None, total: int) -> None:
    """Of the file handles that a process may have, the page, deliveries and files keep 512, or half of very few."""
    assert within_handles(Ceilings(), handles) == Ceilings(total=total)


def test_what_this_process_can_hold() -> None:
    """Never more than was asked for."""
    assert 0 < ceilings_here(Ceilings(total=12_000, per_address=1024)).total <= 12_000
    assert ceilings_here().per_address == Ceilings().per_address
