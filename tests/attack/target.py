"""A target: what strangers' bytes reach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`take` may raise nothing; `seeds` are bytes that it takes well."""

    take: Callable[[bytes], object]
    seeds: Sequence[bytes]
