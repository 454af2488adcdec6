"""Ids of events: 26 letters and digits that sort by time, unguessable in their second half."""

import base64
import os

from touchpoints.moment import Micros


def new_id(now: Micros) -> str:
    """48 bits of milliseconds and 80 random bits in base32hex, whose alphabet keeps their order."""
    packed = (now // 1000).to_bytes(6, "big") + os.urandom(10)
    return base64.b32hexencode(packed)[:26].decode().lower()
