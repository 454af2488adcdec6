"""A person at the page of a running Hookport: signed in, as a browser is."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.bench.children import BenchError

PASSWORD = "a pass phrase that is only measured"


@contextlib.contextmanager
def signed_in(page: str, data: Path) -> Iterator[httpx.Client]:
    """A client that has a session. `page` is the page's address, `data` the data folder."""
    token = {"authorization": f"Bearer {(data / 'machine.token').read_text()}"}
    link = httpx.post(f"{page}/api/v1/admin/reset", headers=token).json()["link"]
    form = {"name": "ann", "password": PASSWORD, "repeated": PASSWORD}
    with httpx.Client(base_url=page, headers={"origin": page, "sec-fetch-site": "same-origin"}, timeout=60) as client:
        if client.post(link, data=form).status_code != 303:
            raise BenchError("nobody could sign in")
        yield client
