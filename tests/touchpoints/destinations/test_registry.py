from pathlib import Path

import pytest

from tests.touchpoints.destinations.jobs import NOW, job
from touchpoints.attempt import Blame, Failed
from touchpoints.destinations.folder import FolderSender
from touchpoints.destinations.http import HttpSender
from touchpoints.destinations.registry import SENDERS, open_sender
from touchpoints.touchpoint import Destination, FolderDestination, HttpDestination

pytestmark = pytest.mark.anyio

BAD_URLS = [
    "ftp://h/",
    "erp",
    "http://",
    "",
    "http://h:99999/",
    "http://[::1",
    "http://0251.0376.0251.0376/",
    "http://secret@/",
]


def http(url: str, sign: str = "") -> HttpDestination:
    return HttpDestination(id=1, name="erp", url=url, sign=sign)


def folder(path: str) -> FolderDestination:
    return FolderDestination(id=1, name="in", path=path)


async def test_each_kind_has_its_sender(tmp_path: Path) -> None:
    """The registry opens what the configuration names."""
    for destination, kind in ((http("http://h/"), HttpSender), (folder(str(tmp_path)), FolderSender)):
        sender = open_sender(destination, environment={}, now=lambda: NOW)
        assert isinstance(sender, kind)
        await sender.aclose()
    assert set(SENDERS) == {"http", "folder"}


@pytest.mark.parametrize("destination", [*map(http, BAD_URLS), http("http://h/", sign="whsec_%%%"), folder("in"), folder("")])
async def test_a_destination_that_cannot_be_opened_fails_in_words(destination: Destination) -> None:
    """Settings that lead nowhere stop no other destination: its own deliveries wait, and the error shows no secret."""
    sender = open_sender(destination, environment={}, now=lambda: NOW)
    outcome = await sender.attempt(job(), touchpoint="orders")
    assert isinstance(outcome, Failed)
    assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "destination_unusable")
    assert outcome.error.startswith("The destination cannot be used: ")
    assert "secret@" not in outcome.error
    assert sender.preview(job(), touchpoint="orders").target == outcome.error
    await sender.aclose()
