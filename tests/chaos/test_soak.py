"""What an hour's looks are judged to be."""

import random

from tests.chaos.found import Found
from tests.chaos.soak import HOUR, MIB, Course, Look, _judge, _must_be_half
from tests.chaos.steady import Steady


def hour(*, handles: int = 0, memory: float = 0.0, wal: float = 16.0, latency: float = 0.0) -> Found:
    """An hour in which something grows by so much, under a load that comes and goes."""
    chance = random.Random(5)
    looks = [
        Look(
            at=60.0 * minute,
            memory=int((300 + memory * minute / 60) * MIB),
            handles=60 + int(chance.expovariate(1 / 40)),
            wal=int(wal * MIB),
            middle=10 + chance.random() + latency * minute / 60,
            slow=40 + 20 * chance.random(),
        )
        for minute in range(60)
    ]
    found = Found(tried=1)
    _judge(found, Course(looks, at_rest=(40, 42 + handles)), HOUR)
    return found


def test_what_comes_and_goes_is_flat() -> None:
    """Connections under a load that changes are no leak."""
    found = hour()
    assert found.good, found
    assert any(note.startswith("handles: ") and "an hour" in note for note in found.notes)


def test_what_grows_is_told() -> None:
    """Whichever of them it is."""
    assert not hour(handles=10).good
    assert not hour(memory=60.0).good
    assert not hour(wal=70.0).good
    assert not hour(latency=60.0).good


def test_half_of_full_speed_is_kept_and_taken() -> None:
    """A slower pace, or events that were turned away, would make anything flat."""
    for sent, refused, good in ((180_000, 0, True), (150_000, 0, False), (180_000, 181, False)):
        steady, found = Steady([], per_second=50), Found(tried=1)
        steady.sent, steady.others["503"] = sent, refused
        _must_be_half(found, steady, 100.0, HOUR)
        assert found.good is good
