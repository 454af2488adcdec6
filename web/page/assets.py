"""The files a browser fetches once: read at start into memory, so that no request ever names a path on the disk."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from web.guard import OPEN

_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_FOREVER = "public, max-age=31536000, immutable"  # the address changes with the content


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file, ready to be sent."""

    content: bytes
    packed: bytes  # the same, gzipped
    media_type: str
    mark: str  # changes with the content


@cache
def assets() -> dict[str, Asset]:
    """Every file under static/ that a browser may have, by its path in there."""
    return dict(_found("", files("web.page").joinpath("static")))


def _found(path: str, folder: Traversable) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        where = f"{path}{entry.name}"
        media_type = _TYPES.get("." + entry.name.rpartition(".")[2])
        if entry.is_dir():
            found += _found(f"{where}/", entry)
        elif media_type:
            found.append((where, _asset(entry.read_bytes(), media_type)))
    return found


def _asset(content: bytes, media_type: str) -> Asset:
    mark = hashlib.sha256(content).hexdigest()[:12]
    return Asset(content=content, packed=gzip.compress(content, 9, mtime=0), media_type=media_type, mark=mark)


def asset_url(path: str) -> str:
    """The address of a file, which changes with its content."""
    found = assets().get(path)
    return f"/static/{path}?{found.mark}" if found else f"/static/{path}"


@get("/static/{path:path}", opt={OPEN: True}, include_in_schema=False)
async def static(path: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
    """One file of the page."""
    found = assets().get(str(path).lstrip("/"))
    if found is None:
        raise NotFoundException
    headers = {"cache-control": _FOREVER, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, media_type=found.media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=headers)
