"""Touchpoints read from tables, and what is wrong with a table."""

from pathlib import Path
from typing import Any

from touchpoints.definition import read_touchpoints
from touchpoints.definition_setting import Reading
from touchpoints.touchpoint import Touchpoint

HERE = str(Path("/srv/in").absolute())  # with a drive, where there are drives


def read(*items: Any, ids: dict[tuple[str, ...], int] | None = None) -> tuple[tuple[Touchpoint, ...], list[tuple[str, str]]]:
    reading = Reading()
    found = read_touchpoints(list(items), ids or {}, reading)
    return found, [(problem.path, problem.code) for problem in reading.problems]


def one(**item: Any) -> Touchpoint:
    found, problems = read({"name": "t", "provider": "shopify", "secrets": ["s3cret"], **item})
    assert problems == []
    return found[0]


def generic(**verify: Any) -> Touchpoint:
    return one(provider="generic", verify=verify)


def wrong(**item: Any) -> list[tuple[str, str]]:
    return read({"name": "t", "provider": "shopify", "secrets": ["s3cret"], **item})[1]
