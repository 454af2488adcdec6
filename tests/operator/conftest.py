"""A proxy's local port for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.proxy.server import ProxyServer
from tests.operator.kit import Person, proxy_folder


@pytest.fixture
async def role(tmp_path: Path) -> AsyncIterator[ProxyServer]:
    """A proxy that does not listen."""
    async with proxy_folder(tmp_path / "proxy") as opened:
        yield opened


@pytest.fixture
async def ann(role: ProxyServer) -> AsyncIterator[Person]:
    """Ann, signed in."""
    person = Person(role)
    async with person.http:
        await person.sign_in()
        yield person
