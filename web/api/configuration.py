"""The configuration as TOML: show and apply."""

import hashlib
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.params import JSONBody

from store.configuration import Document
from store.document import parse
from touchpoints.problem import ProblemError
from web.api.desk import AtDesk, CallerRequest
from web.api.problems import REFUSALS, RefusedConfiguration, applied_shape
from web.api.shapes import AppliedShape, ConfigurationText
from web.guard import administers, operates


class ConfigurationFile(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A configuration file to apply."""

    toml: Annotated[str, msgspec.Meta(description="The file's text.")]
    base: Annotated[str, msgspec.Meta(description="The folder that `file:` names are relative to.")] = ""
    prune: Annotated[bool, msgspec.Meta(description="The file is the whole truth; left-out secrets are kept.")] = False
    dry_run: bool = False


class ConfigurationController(Controller):
    """Settings, touchpoints and destinations; the database is the truth."""

    path = "/api/v1/configuration"
    tags = ("configuration",)

    @get(summary="The whole configuration", guards=[operates], responses=REFUSALS)
    async def show(self, desk: AtDesk) -> ConfigurationText:
        """Each secret stands as `stored:FINGERPRINT`, which apply takes for "keep"."""
        return {"toml": await desk.control.show()}

    @post(summary="Apply a configuration file", guards=[administers], status_code=200, responses=REFUSALS)
    async def apply(self, data: JSONBody[ConfigurationFile], desk: AtDesk, request: CallerRequest) -> AppliedShape:
        """Merges key by key; every problem is reported at once, and then nothing is changed."""
        applied = await desk.control.apply(
            read_toml(data.toml),
            base=data.base,
            digest=hashlib.sha256(data.toml.encode()).hexdigest(),
            prune=data.prune,
            dry_run=data.dry_run,
            actor=request.user.actor,
        )
        return applied_shape(applied, dry_run=data.dry_run)


def read_toml(text: str) -> Document:
    """The document in a file's text. Raises RefusedConfiguration."""
    try:
        return parse(text.encode())
    except ProblemError as error:
        raise RefusedConfiguration(*error.problems) from None
