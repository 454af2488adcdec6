"""Randomness that a test can repeat."""

import hashlib

from touchpoints.pull.key import Chance


def chance(seed: str) -> Chance:
    """Bytes that look random, the same for the same seed."""
    count = 0

    def draw(length: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed} {count}".encode()).digest(length)

    return draw
