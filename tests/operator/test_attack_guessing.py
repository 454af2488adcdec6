"""Guessing the operator's password and API tokens: the counts stand in the file, and no restart gives more tries."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from store.door import FREE_TRIES
from tests.page.doorstep import PASSWORD, TYPED
from tests.whole.test_proxy import ProxyProcess

WRONG = "not the password"


@pytest.fixture
def proxy(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[ProxyProcess]:
    """A real process in which ann has a password."""
    made = ProxyProcess(tmp_path, port=free_port(), admin=free_port())
    with closing(made):
        made.start()
        form = {"name": "ann", "password": PASSWORD, "repeated": PASSWORD}
        assert httpx.post(made.link, data=form, headers=own(made)).status_code == 303
        yield made


def own(proxy: ProxyProcess) -> dict[str, str]:
    """What a browser sends with a form of the page itself."""
    return {**TYPED, "sec-fetch-site": "same-origin", "origin": f"http://127.0.0.1:{proxy.admin}"}


def attempt(proxy: ProxyProcess, *, name: str = "ann", password: str = WRONG, **more: str) -> int:
    """Try to sign in: 303 is in, 403 is wrong, 429 must wait."""
    form, headers = {"name": name, "password": password}, {**own(proxy), **more}
    return httpx.post(f"http://127.0.0.1:{proxy.admin}/sign-in", data=form, headers=headers).status_code


def test_a_killed_proxy_forgets_no_try(proxy: ProxyProcess) -> None:
    """Killed in the midst of five tries; then the right password waits as well, whatever a header says of the address."""
    assert [attempt(proxy) for _ in range(3)] == [403] * 3
    proxy.kill()
    proxy.start()
    assert [attempt(proxy) for _ in range(FREE_TRIES - 3)] == [403] * (FREE_TRIES - 3)
    assert attempt(proxy, password=PASSWORD) == 429
    assert (
        attempt(proxy, name=" ANN ", password=PASSWORD, **{"x-forwarded-for": "192.0.2.1", "forwarded": "for=192.0.2.1"}) == 429
    )
    old = {"authorization": f"Bearer {(proxy.data / 'machine.token').read_text()}"}
    url = f"http://127.0.0.1:{proxy.admin}/api/v1/status"
    assert httpx.get(url, headers=old).status_code == 200
    proxy.kill()
    proxy.start()
    assert attempt(proxy, password=PASSWORD) == 429
    refused = httpx.get(url, headers=old)  # the token of another start
    unknown = httpx.get(url, headers={"authorization": "Bearer guessed"})
    assert (refused.status_code, refused.json()) == (unknown.status_code, unknown.json())
    assert refused.status_code == 401
