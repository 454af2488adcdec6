"""Bytes as a form or JSON that somebody sends to the page: what reads bodies in the page's own app answers, and fails at none.

A form in parts is read as any other: nothing of the page takes parts, and none are taken apart.
"""

import asyncio
from contextlib import closing
from typing import Any

from litestar import Litestar, post
from litestar.params import JSONBody

from tests.simulation.loop import VirtualLoop
from web.api.events import Chosen
from web.api.problems import EXCEPTION_HANDLERS
from web.local import BODY_LIMIT
from web.page.signin import Form
from web.strict_request import StrictRequest
from web.strict_shape import StrictShapes

_PARTS = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="a.json"\r\n\r\n%s\r\n'


@post("/form")
async def _taken(data: Form) -> dict[str, str]:
    return data


@post("/json")
async def _taken_json(data: JSONBody[Chosen]) -> Chosen:
    return data


class SentForm:
    """The target: call it with a content type, a line break, and a body. Raises AssertionError, or whatever came out."""

    def __init__(self) -> None:
        self._app = Litestar(
            [_taken, _taken_json],
            request_class=StrictRequest,
            plugins=[StrictShapes()],
            exception_handlers=EXCEPTION_HANDLERS,
            request_max_body_size=BODY_LIMIT,
            logging_config=None,
            openapi_config=None,
        )

    def __call__(self, data: bytes) -> None:
        kind, _, body = data.partition(b"\n")
        with closing(VirtualLoop()) as loop:
            for path in ("/form", "/json"):
                status = loop.run_until_complete(self._post(path, kind, body))
                assert status < 500, f"{path} answers {status}"

    async def _post(self, path: str, kind: bytes, body: bytes) -> int:
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
            "raw_path": path.encode(), "root_path": "", "query_string": b"", "client": ("127.0.0.1", 1), "server": None,
            "headers": [(b"content-type", kind), (b"content-length", str(len(body)).encode())],
        }  # fmt: skip
        said: list[Any] = []
        coming = [{"type": "http.request", "body": body[:9], "more_body": True}, {"type": "http.request", "body": body[9:]}]

        async def receive() -> Any:
            return coming.pop(0) if coming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            said.append(message)

        async with asyncio.timeout(10):
            await self._app(scope, receive, send)  # type: ignore[arg-type]  # a scope as a server makes it
        return int(said[0]["status"])


def form_seeds() -> list[bytes]:
    """The ways in which a browser or a program sends one."""
    parts = b"".join(_PARTS % pair for pair in ((b"name", b"orders"), (b"secret", b"hush")))
    return [
        b"application/x-www-form-urlencoded\nname=orders&secret=hush%20&next=%2F",
        b"application/x-www-form-urlencoded; charset=latin-1\nname=orders&name=twice",
        b"multipart/form-data; boundary=b\n" + parts + b"--b--\r\n",
        b'application/json\n{"ids":["a"],"all":true}',
        b"text/plain\nname=orders\r\nsecret=hush\r\n",
    ]
