import asyncio
from dataclasses import replace

import pytest

from tests.chaos.smuggled import plain, smuggled
from tests.web.listener.scene import BRISK, SIGNED, Scene, exchange, status
from tests.whole.senders import GITHUB_SECRET
from touchpoints.touchpoint import Verification

pytestmark = pytest.mark.anyio

PATH = "/hooks/orders"
GITHUB = replace(
    SIGNED,
    secrets=(GITHUB_SECRET,),
    verification=Verification(signature="header:x-hub-signature-256", algorithm="sha256", encoding="hex", prefix="sha256="),
)


async def test_no_event_hides_in_another_request() -> None:
    """Whatever a framing may mean to another server: of a signed event that is hidden behind it nothing is heard."""
    scene = Scene(touchpoints=(GITHUB,))
    async with scene.listening(deadlines=replace(BRISK, linger=10)) as listener:  # no reset while much is on its way
        tricks = smuggled(PATH, "hooks.test")
        answers = await asyncio.gather(*(exchange(listener, data) for data in tricks.values()))
    assert scene.kept.arrivals == []
    for name, answer in zip(tricks, answers, strict=True):
        assert 400 <= status(answer) < 600, name
        assert answer.count(b"HTTP/1.1 ") == 1, name


async def test_what_they_hide_is_a_true_event() -> None:
    """Rightly parted from a request that is refused, it is stored."""
    scene = Scene(touchpoints=(GITHUB,))
    async with scene.listening(deadlines=BRISK) as listener:
        await exchange(listener, plain(PATH, "hooks.test", b'{"n": 1}', "d1"))
    assert scene.kept.bodies == [b'{"n": 1}']
