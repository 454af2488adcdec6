"""Sizes as people write them, e.g. `25MiB`, `1GiB`, `10kB`; bytes inside."""

import re

_UNITS = {
    "TiB": 1024**4,
    "TB": 1000**4,
    "GiB": 1024**3,
    "GB": 1000**3,
    "MiB": 1024**2,
    "MB": 1000**2,
    "KiB": 1024,
    "kB": 1000,
    "B": 1,
}
_BINARY = tuple((_UNITS[name], name) for name in ("TiB", "GiB", "MiB", "KiB"))
_BY_LOWER = {unit.lower(): size for unit, size in _UNITS.items()}
_SIZE = re.compile(r"([0-9]{1,19}) ?([A-Za-z]{0,3})")
_LARGEST = 2**60


def parse_size(value: int | str) -> int:
    """A size such as `25MiB` (or a plain number) in bytes, up to an exbibyte. Raises ValueError in words for anything else."""
    match = _SIZE.fullmatch(str(value)) if not isinstance(value, bool) else None
    unit = _BY_LOWER.get(match[2].lower() or "b") if match else None
    if match is None or unit is None:
        raise ValueError(
            f'"{str(value)[:40]}" is no size; write a whole number of bytes, or a unit too, as in 10kB, 25MiB, 1GiB'
        )
    size = int(match[1]) * unit
    if size > _LARGEST:
        raise ValueError(f'"{str(value)[:40]}" is more than any disk holds')
    return size


def format_size(size: int) -> str:
    """The shortest exact way to write a size, e.g. `25MiB`; `0` for nothing."""
    exact = [f"{size // unit}{name}" for name, unit in _UNITS.items() if size and size % unit == 0]
    return min(exact, key=len) if exact else "0"


def rough_size(size: int, *, up: bool = False) -> str:
    """A measured size as a person reads it, e.g. `1.4GiB`, `301MiB`: three figures or so, rounded down, or `up`."""
    unit, name = next(((unit, name) for unit, name in _BINARY if size >= unit), (1, "B"))
    parts = 1 if size >= 10 * unit or unit == 1 else 10
    amount = (-(-size * parts // unit) if up else size * parts // unit) / parts
    return f"{amount:.1f}".removesuffix(".0") + name
