"""Guessing passwords: the counts stand in the file; killing the process, other names and other addresses gain nothing."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from store.door import FREE_TRIES
from tests.page.doorstep import PASSWORD, TYPED
from tests.whole.hookport import Hookport

WRONG = "not the password"


@pytest.fixture
def hookport(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Hookport]:
    """A real process in which ann has a password."""
    made = Hookport(tmp_path, port=free_port(), admin=free_port())
    with closing(made):
        made.start()
        link = made.run("admin", "reset").stdout.strip()
        form = {"name": "ann", "password": PASSWORD, "repeated": PASSWORD}
        assert httpx.post(link, data=form, headers=own(made)).status_code == 303
        yield made


def own(hookport: Hookport) -> dict[str, str]:
    """What a browser sends with a form of the page itself."""
    return {**TYPED, "sec-fetch-site": "same-origin", "origin": f"http://127.0.0.1:{hookport.admin}"}


def attempt(hookport: Hookport, *, name: str = "ann", password: str = WRONG, address: str = "127.0.0.1") -> int:
    """Try to sign in from an address of this machine: 303 is in, 403 is wrong, 429 must wait."""
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{hookport.admin}") as client:
        return client.post("/sign-in", data={"name": name, "password": password}, headers=own(hookport)).status_code


def test_a_killed_process_forgets_no_try(hookport: Hookport) -> None:
    """Killed and started again after every two tries, there still are five; then the right password waits as well."""
    for tried in range(FREE_TRIES):
        assert attempt(hookport) == 403
        if tried % 2 == 1:
            hookport.kill()
            hookport.start()
    assert attempt(hookport, password=PASSWORD) == 429
    assert hookport.stop() == 0
    hookport.start()
    assert attempt(hookport, password=PASSWORD) == 429
    assert attempt(hookport, name=" ANN ", address="127.0.0.9") == 429
    link = hookport.run("admin", "reset").stdout.strip()
    form = {"name": "ann", "password": PASSWORD, "repeated": PASSWORD}
    assert httpx.post(link, data=form, headers=own(hookport)).status_code == 303
    assert attempt(hookport, password=PASSWORD) == 303


def test_neither_other_names_nor_other_addresses_give_more_tries(hookport: Hookport) -> None:
    """Many accounts from one address are one guesser; one account from many addresses is one victim."""
    spray = [attempt(hookport, name=f"person {number}", address="127.0.0.2") for number in range(FREE_TRIES + 2)]
    assert spray == [403] * FREE_TRIES + [429] * 2
    assert attempt(hookport, name="ann", password=PASSWORD, address="127.0.0.2") == 429
    crowd = [attempt(hookport, address=f"127.0.0.{number}") for number in range(10, 10 + FREE_TRIES + 2)]
    assert crowd == [403] * FREE_TRIES + [429] * 2
    assert attempt(hookport, password=PASSWORD, address="127.0.0.99") == 429
    headers = {**own(hookport), "x-forwarded-for": "192.0.2.1", "x-real-ip": "192.0.2.1", "forwarded": "for=192.0.2.1"}
    lying = httpx.post(f"http://127.0.0.1:{hookport.admin}/sign-in", data={"name": "ann", "password": WRONG}, headers=headers)
    assert lying.status_code == 429
