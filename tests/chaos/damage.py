"""What happens to a disk: one place in one file of a data folder is not what it was."""

import random
from collections.abc import Sequence
from pathlib import Path

FRAME = 24 + 8192  # bytes of a write-ahead log's page


class Damage:
    """`told` says what was done, and to what."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.told = ""

    def do(self, folder: Path, files: Sequence[str]) -> None:
        """To one of these files: bytes that are others, a page of nothing, a bit that flipped, or an end that is gone."""
        names = [name for name in files if (folder / name).is_file() and (folder / name).stat().st_size]
        file = folder / self._chance.choice(names)
        data = bytearray(file.read_bytes())
        at = self._chance.randrange(len(data))
        kind = self._chance.choice(("bytes", "nothing", "bit", "end"))
        if file.name.endswith("-wal"):  # its end, when it is gone or the last thing that was written, looks like a crash
            at = self._chance.randrange(max(1, seen_up_to(file) - 8192))
            kind = "bit" if kind == "end" else kind
        if kind == "bytes":
            size = self._chance.randint(1, 4096)
            data[at : at + size] = self._chance.randbytes(min(size, len(data) - at))
        elif kind == "nothing":
            data[at : at + 8192] = bytes(min(8192, len(data) - at))
        elif kind == "bit":
            data[at] ^= 1 << self._chance.randrange(8)
        else:
            del data[at:]
        file.write_bytes(data)
        self.told = f"{kind} at {at} of {file.name} in {folder.name}"


def seen_up_to(log: Path) -> int:
    """Where the part of a write-ahead log ends behind which another transaction of its generation follows."""
    data = log.read_bytes()
    ends = [
        at + FRAME
        for at in range(32, len(data) - FRAME + 1, FRAME)
        if data[at + 8 : at + 16] == data[16:24] and data[at + 4 : at + 8] != bytes(4)
    ]
    return ends[-3] if len(ends) > 2 else 0
