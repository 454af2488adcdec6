"""Files written aside: under its own name a file is whole or not there."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from touchpoints.destinations.in_place import put_in_place


@contextmanager
def written_aside(target: Path) -> Iterator[BinaryIO]:
    """A file beside the target that takes its name when the block ends well, and is removed when it does not."""
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with aside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        put_in_place(aside, target)
    finally:
        aside.unlink(missing_ok=True)
