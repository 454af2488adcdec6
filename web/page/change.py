"""A change: a small document, applied in the name of whoever is signed in; and the configuration as it is written."""

import tomllib
from typing import Any

from litestar.exceptions import NotFoundException

from store.configuration import Actor, Document
from touchpoints.problem import Problem
from touchpoints.touchpoint import Touchpoint
from web.api.desk import CallerRequest, Desk


async def change(desk: Desk, request: CallerRequest, document: Document, *, actor: Actor | None = None) -> list[Problem]:
    """Apply it; with problems nothing was changed."""
    applied = await desk.control.apply(
        document, base="", digest="", prune=False, dry_run=False, actor=actor or request.user.actor
    )
    return list(applied.problems)


async def written(desk: Desk) -> dict[str, Any]:
    """The whole configuration as a document; a secret stands there as `stored:FINGERPRINT`."""
    return tomllib.loads(await desk.control.show())


async def written_touchpoint(desk: Desk, name: str) -> dict[str, Any]:
    """One touchpoint as it is written. Raises NotFoundException."""
    return named((await written(desk)).get("touchpoint", []), name)


def named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The table of that name. Raises NotFoundException."""
    found = next((one for one in items if one["name"] == name), None)
    if found is None:
        raise NotFoundException
    return found


def touchpoint_of(desk: Desk, name: str) -> Touchpoint:
    """The touchpoint that runs under this name. Raises NotFoundException."""
    found = next((one for one in desk.control.configuration().touchpoints if one.name == name), None)
    if found is None:
        raise NotFoundException
    return found
