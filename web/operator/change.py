"""A change of the proxy's settings, applied in the name of whoever asks; and the configuration as it is written."""

import hashlib
import tomllib
from typing import Any

from store.configuration import Actor, Document
from store.server_configuration import ServerApplied
from touchpoints.problem import Problem
from web.api.configuration import ConfigurationFile
from web.operator.desk import CallerRequest, OperatorDesk


async def apply_text(
    desk: OperatorDesk, text: str, document: Document, asked: ConfigurationFile, *, actor: Actor
) -> ServerApplied:
    """Apply a file's document as a program asked for it."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return await desk.control.apply(
        document, base=asked.base, digest=digest, prune=asked.prune, dry_run=asked.dry_run, actor=actor
    )


async def change(desk: OperatorDesk, request: CallerRequest, document: Document) -> list[Problem]:
    """Apply a small document; with problems nothing was changed."""
    applied = await desk.control.apply(document, base="", digest="", prune=False, dry_run=False, actor=request.user.actor)
    return list(applied.problems)


async def written(desk: OperatorDesk) -> dict[str, Any]:
    """The whole configuration as a document."""
    return tomllib.loads(await desk.control.show())
