"""The write-ahead log behind its first fault: SQLite takes what follows for a write that a crash cut off, and forgets it.

Rightly so, where the fault is the last thing that was being written. But what stands before a later commit had been on the disk
for certain: if that cannot be read any more, the disk changed it, and going on would lose what was promised without a word.
The format is that of https://sqlite.org/walformat.html: each frame's checksum goes on from that of the frame before it.
"""

import struct
import sys
from pathlib import Path
from typing import BinaryIO

_HEADER, _FRAME = 32, 24  # bytes
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}  # whose words the checksum is made of
_NATIVE = "<" if sys.byteorder == "little" else ">"
_PAGE = 8192  # bytes, as our files are made: where the log's header cannot be believed

Sum = tuple[int, int]


def has_lost_commits(log: Path, *, readable: int) -> bool:
    """Whether a commit that was on the disk cannot be read. `readable`: the frames that SQLite could make use of.

    To be asked after an unclean stop, before anything is written. A log that lost its end says nothing, and neither does a
    fault in its very last transaction: both look like a crash. Costs a short read for each frame that could not be used.
    """
    with log.open("rb") as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER:
            return False
        order, page, salts = _begin(header)
        size = _FRAME + page
        before = b""  # the head of the frame before, where a transaction of this generation ends with it
        for number in range(readable, (log.stat().st_size - _HEADER) // size):
            file.seek(_HEADER + number * size)
            head = file.read(_FRAME)
            salts = salts or head[8:16]  # the header tells none
            ours = head[8:16] == salts  # others are left over from an older generation
            if ours and before and _follows(before, head, file, page, order):
                return True
            before = head if ours and head[4:8] != bytes(4) else b""
    return False


def _begin(header: bytes) -> tuple[str, int, bytes]:
    """The order of bytes in words, a page's size, and the generation's salts; none: the header is not whole."""
    magic, _, page = struct.unpack(">III", header[:12])
    order = _MAGIC.get(magic, "")
    if not order or _checksum((0, 0), header[:24], order) != struct.unpack(">II", header[24:]):
        return _NATIVE, _PAGE, b""
    return order, page if page != 1 else 65536, header[16:24]


def _follows(before: bytes, head: bytes, file: BinaryIO, page: int, order: str) -> bool:
    """Whether a frame was written behind that other one, so that what ended there was on the disk by then."""
    begun: Sum = struct.unpack(">II", before[16:24])
    found = _checksum(_checksum(begun, head[:8], order), file.read(page), order)
    return found == struct.unpack(">II", head[16:24])


def _checksum(before: Sum, data: bytes, order: str) -> Sum:
    first, second = before
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for even, odd in zip(words, words, strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
