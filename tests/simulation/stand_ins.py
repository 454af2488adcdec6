"""Stand-ins: what reaches out of a process reaches the world instead."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import httpx

from tests.simulation.disk import SimDatabase
from tests.simulation.ends import Ledger, SimSender
from tests.simulation.fate import Fate


async def stays(*_: Any) -> None:
    """Nothing listens on a port here."""


@contextmanager
def stand_ins(
    fate: Fate, ledger: Ledger, client: Callable[[str], httpx.AsyncClient], new_id: Callable[[int], str]
) -> Iterator[None]:
    """`client` gives one that leads to a node; `new_id` makes those of events at the proxy."""
    with ExitStack() as stack:
        for place, stand_in in (
            ("appliance.opening.AiosqliteDatabase", SimDatabase),
            ("appliance.proxy.opening.AiosqliteDatabase", SimDatabase),
            ("appliance.proxy_side.open_client", lambda _url, _environment: client("proxy")),
            ("appliance.works.open_sender", lambda _destination, **_: SimSender(fate, ledger)),
            ("appliance.works.jitter", lambda: fate.span(-1, 1)),
            ("appliance.proxy_side.jitter", lambda: fate.span(-1, 1)),
            ("appliance.proxy.server.new_id", new_id),
            ("appliance.agent.Agent._rebind", stays),
            # Nobody opens a page here, and making its application takes longer than all the rest of a seed.
            ("appliance.agent.make_local", lambda *_, **__: None),
            ("appliance.proxy.server.make_operator_local", lambda *_, **__: None),
            ("web.listener.app.Litestar", lambda **_: None),
        ):
            stack.enter_context(patch(place, stand_in))
        yield
