"""Bytes that were right, mangled: bits flipped, pieces cut, doubled, swapped in from elsewhere."""

from collections.abc import Sequence
from random import Random

PIECES = (
    b"", b"\0", b"\r\n", b"\n\n", b"\xff\xfe", b"\xed\xa0\x80", b'"', b"'''", b"\\", b"\\ud800", b"{", b"[" * 400, b"]", b"=",
    b",", b";", b":", b"-1", b"0", b"1e999", b"NaN", b"9" * 400, b"0x", b"null", b"%00", b"%", b"&", b"../", b"<!DOCTYPE a [",
    b"&#x0;", b"v1=", b"t=", b"sha256=", b"Bearer ", b"eyJhbGciOiJub25lIn0.", b"whsec_", b"whpk_", b"=?utf-8?", b"--",
    b"\xe2\x80\xae",
)  # fmt: skip


def mangled(chance: Random, seeds: Sequence[bytes]) -> bytes:
    """One of them, after a few changes."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(data))
        to = min(len(data), at + chance.choice((1, 1, 2, 8, 64)))
        match chance.randrange(6):
            case 0:
                data[at:at] = chance.choice(PIECES)
            case 1:
                data[at:to] = chance.choice(PIECES)
            case 2:
                data[at:at] = data[at:to]
            case 3:
                del data[at:to]
            case 4:
                other = chance.choice(seeds)
                begin = chance.randint(0, len(other))
                data[at:to] = other[begin : begin + chance.choice((4, 32, 400))]
            case _:
                data[at:to] = bytes(byte ^ (1 << chance.randrange(8)) for byte in data[at:to])
    return bytes(data)
