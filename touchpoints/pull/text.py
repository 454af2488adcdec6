"""Canonical texts: what a signature or MAC covers, unambiguous whatever the parts contain."""

import struct

PROTOCOL = "hookport-pull/1"


def parts(label: str, *values: bytes | str) -> bytes:
    """The protocol's name, what it is for, and each part after its length (u32be)."""
    return b"".join(
        struct.pack(">I", len(part)) + part
        for part in (value.encode() if isinstance(value, str) else value for value in (PROTOCOL, label, *values))
    )
