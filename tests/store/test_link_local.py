"""Leave for a link-local address: only someone on the machine itself gives it, for behind one a cloud keeps its credentials."""

import pytest

from store.configuration import Actor, Change
from store.machine_right import missing_rights

PATH = "touchpoint.orders.destination.erp.link_local"


@pytest.mark.parametrize("what", ["added", "changed"])
def test_neither_a_token_nor_a_person_at_the_page_gives_it(what: str) -> None:
    """Not even a person who typed the password again, who may name folders."""
    for actor in (Actor(name="token:t"), Actor(name="ann", folders=True)):
        assert [one.code for one in missing_rights((Change(path=PATH, what=what),), actor)] == ["needs_machine"]


def test_a_command_on_the_machine_gives_it_and_anybody_takes_it_away() -> None:
    """As with every path that is read there."""
    assert list(missing_rights((Change(path=PATH, what="changed"),), Actor(name="machine", machine=True))) == []
    assert list(missing_rights((Change(path=PATH, what="removed"),), Actor(name="token:t"))) == []
