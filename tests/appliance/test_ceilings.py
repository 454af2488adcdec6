import pytest

from appliance.ceilings import (
    BROWSER,
    FILES,
    MOST_STRANGERS,
    PAGE,
    ceilings_here,
    page_ceilings,
    page_within_handles,
    within_handles,
)
from appliance.proxy.listening import CEILINGS
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


@pytest.mark.parametrize("most", [None, 8, 20, 96, 512, 1024, 2512, 4500, 12_512, 16_384, 1_000_000])
@pytest.mark.parametrize("public", [Ceilings(), CEILINGS])
def test_the_page_leaves_handles_to_deliveries_and_files(most: int | None, public: Ceilings) -> None:
    """Its listeners together take half at most of what the public listener leaves, so that neither can take the rest."""
    page = sum(one.total for one in page_within_handles(most))
    if most is None:
        assert page == PAGE
    else:
        left = most - within_handles(public, most).total
        assert 0 < page <= min(PAGE, left // 2)
        assert left - page >= FILES or page <= BROWSER
        assert page >= min(left // 2, BROWSER)


def test_no_listener_of_the_page_shuts_out_the_other_or_is_one_strangers() -> None:
    """Each has a ceiling of its own, and one address of the outside takes half of it at most."""
    for most in (96, 1024, 16_384, None):
        for one in page_within_handles(most):
            assert 1 <= one.per_address <= max(1, one.total // 2)
    assert max(CEILINGS.total, Ceilings().total) == MOST_STRANGERS
    assert sum(one.total for one in page_ceilings()) <= PAGE
