"""About: version, folder, SQLite, a check of the files, and the bundle for support."""

import asyncio
import io
import json
import zipfile
from dataclasses import asdict
from typing import Any

from litestar import Response, get, post
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from store.redaction import Redaction, secrets_of
from web.api.desk import AtDesk, CallerRequest
from web.guard import SAME_ORIGIN
from web.page.settings.section import screen_of


@get("/settings/about", include_in_schema=False)
async def about_page(desk: AtDesk, request: CallerRequest) -> Template:
    """What runs here."""
    return screen_of(request, desk, "about", facts_now=desk.facts(), checked=None)


@post("/settings/about/check", include_in_schema=False)
async def check_files(desk: AtDesk, request: CallerRequest) -> Template:
    """Read both files from end to end."""
    return screen_of(request, desk, "about", facts_now=desk.facts(), checked=await desk.control.check())


@get("/settings/about/bundle.zip", opt={SAME_ORIGIN: True}, include_in_schema=False)
async def bundle(desk: AtDesk, request: CallerRequest) -> Response[bytes]:
    """What support needs, and no secret: version, configuration, counts, the end of the log."""
    clean = Redaction.of(secrets_of(desk.control.configuration()))
    status = await desk.control.status()
    pieces = {
        "facts.json": _json({**asdict(desk.facts()), "version": desk.vitals().version}),
        "status.json": _json(status),
        "touchpoints.json": _json(await desk.control.touchpoints()),
        "configuration.toml": await desk.control.show(),
        "log.txt": await asyncio.to_thread(desk.log_tail),
    }
    await desk.write_down(request.user, "support.bundle", "downloaded")
    packed = await asyncio.to_thread(_zip, {name: clean(text) for name, text in pieces.items()})
    headers = {"content-disposition": 'attachment; filename="hookport-support.zip"'}
    return Response(packed, media_type="application/zip", headers=headers)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2)


def _zip(pieces: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in pieces.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return made.getvalue()


ABOUT_HANDLERS: list[ControllerRouterHandler] = [about_page, check_files, bundle]
