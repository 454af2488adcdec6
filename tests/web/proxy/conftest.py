"""A proxy for each test that asks for one."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.web.proxy.kit import Site, proxy_over


@pytest.fixture
async def site(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[Site]:
    """A proxy without an organisation."""
    async with proxy_over(tmp_path / "proxy", free_port()) as opened:
        yield opened
