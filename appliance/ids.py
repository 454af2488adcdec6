"""Ids: of this instance, and of events: 26 letters and digits that sort by time, unguessable in their second half."""

import os
from functools import lru_cache

from touchpoints.moment import Micros

_ALPHABET = b"0123456789abcdefghijklmnopqrstuv"  # base32hex, which keeps the order of numbers
_LETTERS = _ALPHABET * 8  # for each byte its letter, all equally often


def new_id(now: Micros) -> str:
    """48 bits of milliseconds in ten letters, and 80 random bits in sixteen."""
    return _when(now // 1000) + os.urandom(16).translate(_LETTERS).decode()


def new_instance_id() -> str:
    """128 random bits in hex."""
    return os.urandom(16).hex()


@lru_cache(maxsize=1)
def _when(milliseconds: int) -> str:
    bits = milliseconds << 2  # 50 bits, five a letter
    return bytes(_ALPHABET[bits >> shift & 31] for shift in range(45, -1, -5)).decode()
