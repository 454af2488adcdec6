"""A stream ends with the session of whoever reads it."""

from collections.abc import AsyncIterator

import pytest

from web import guard_stream
from web.guard_stream import while_signed_in

pytestmark = pytest.mark.anyio


class Source:
    """A stream without end that knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    async def parts(self) -> AsyncIterator[bytes]:
        """Parts, for ever."""
        try:
            while True:
                yield b"part"
        finally:
            self.closed = True


async def test_it_ends_before_the_next_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the session has ended nothing more is sent, and the source is let go."""
    monkeypatch.setattr(guard_stream, "EVERY", 0.0)
    answers = [True, True, False]

    async def is_in() -> bool:
        return answers.pop(0)

    source = Source()
    assert [part async for part in while_signed_in(source.parts(), is_in)] == [b"part", b"part"]
    assert source.closed


async def test_it_does_not_ask_for_every_part() -> None:
    """A look costs a read: at most one in ten seconds."""

    async def is_in() -> bool:
        raise AssertionError("not yet")

    source = Source()
    stream = while_signed_in(source.parts(), is_in)
    assert [await anext(stream) for _ in range(100)] == [b"part"] * 100
    await stream.aclose()  # type: ignore[attr-defined]  # a generator
    assert source.closed
