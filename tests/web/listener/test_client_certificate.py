"""Senders that prove themselves by a TLS certificate of their own."""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from tests.web.listener.scene import OPEN, Scene, dial, exchange, post, status
from touchpoints.event import CLIENT_CERTIFICATE, ArrivedBy
from touchpoints.judge import request_of
from touchpoints.problem import ProblemError
from touchpoints.receive import receive
from touchpoints.request import Refused, Verified
from touchpoints.touchpoint import Touchpoint
from web.listener.certificate import Certificate
from web.listener.server import Listener

pytestmark = pytest.mark.anyio


class Parties:
    """Our listener's files, the senders' authority, and a sender with a certificate from it."""

    def __init__(self, folder: Path) -> None:
        self.ours, self.theirs = trustme.CA(), trustme.CA()
        self.sender = self.theirs.issue_cert("sender.test")
        issued = self.ours.issue_cert("hooks.test")
        self._pair = folder / "chain.pem", folder / "key.pem"
        self._pair[0].write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        self._pair[1].write_bytes(issued.private_key_pem.bytes())
        self.asked = folder / "senders.pem"
        self.ask(self.theirs.cert_pem)

    def ask(self, *pems: trustme.Blob) -> None:
        """Senders are known by these certificates."""
        self.asked.write_bytes(b"".join(pem.bytes() for pem in pems))

    def certificate(self) -> Certificate:
        """What the listener answers and asks with."""
        return Certificate(*self._pair, self.asked)

    def context(self, shown: trustme.LeafCert | None) -> ssl.SSLContext:
        """A sender's TLS, with a certificate or without."""
        context = ssl.create_default_context()
        self.ours.configure_trust(context)
        if shown is not None:
            shown.configure_cert(context)
        return context


@pytest.fixture
def parties(tmp_path: Path) -> Parties:
    """Fresh files."""
    return Parties(tmp_path)


def digest(leaf: trustme.LeafCert) -> str:
    """A certificate's SHA-256 in hex."""
    der = load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_bytes(Encoding.DER)
    return hashlib.sha256(der).hexdigest()


def pinned(*leaves: trustme.LeafCert) -> Touchpoint:
    """A touchpoint that only these may send to; their fingerprints as `openssl x509 -fingerprint -sha256` shows them."""
    shown = tuple(":".join(digest(leaf)[at : at + 2].upper() for at in range(0, 64, 2)) for leaf in leaves)
    return replace(OPEN, name="orders", client_certificates=shown)


async def told(parties: Parties, listener: Listener, shown: trustme.LeafCert | None, *, times: int = 1) -> Sequence[int]:
    """What a sender is answered, over one connection."""
    async with dial(listener, ssl=parties.context(shown), server_hostname="hooks.test") as line:
        found = []
        for _ in range(times):
            await line.say(post(b"{}"))
            found.append(status(await line.answer()))
        return found


async def test_only_the_pinned_certificate_may_send(parties: Parties) -> None:
    """Also in the second request of a connection; another of the same authority, or none, is refused."""
    other = parties.theirs.issue_cert("sender.test")
    scene = Scene(touchpoints=(pinned(other, parties.sender),))
    scene_of_one = Scene(touchpoints=(pinned(parties.sender),))
    async with scene.listening(certificate=parties.certificate()) as listener:
        assert await told(parties, listener, parties.sender, times=2) == [200, 200]
        assert await told(parties, listener, other) == [200]
    async with scene_of_one.listening(certificate=parties.certificate()) as listener:
        assert await told(parties, listener, other) == [401]
        assert await told(parties, listener, None) == [401]
    assert [event.reason for event, _ in scene_of_one.refused] == ["client_certificate_wrong", "client_certificate_missing"]
    assert scene_of_one.kept.arrivals == []


async def test_who_asks_for_no_certificate_is_served_as_before(parties: Parties) -> None:
    """A listener that asks serves every other touchpoint, with a certificate and without."""
    scene = Scene()
    async with scene.listening(certificate=parties.certificate()) as listener:
        assert await told(parties, listener, None) == [200]
        assert await told(parties, listener, parties.sender) == [200]


async def test_a_certificate_that_the_file_does_not_vouch_for_ends_the_handshake(parties: Parties) -> None:
    """A stranger's, and one that has expired."""
    expired = parties.theirs.issue_cert("sender.test", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    scene = Scene(touchpoints=(pinned(parties.sender),))
    async with scene.listening(certificate=parties.certificate()) as listener:
        for shown in (trustme.CA().issue_cert("sender.test"), expired):
            with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
                await told(parties, listener, shown)
        assert await told(parties, listener, parties.sender) == [200]


async def test_the_certificate_itself_may_stand_in_the_file(parties: Parties) -> None:
    """Who has only the sender's own certificate, not its authority's, can name that; a changed file is read again."""
    certificate = parties.certificate()
    parties.ask(parties.sender.cert_chain_pems[0])
    assert certificate.reload_if_changed() is None
    scene = Scene(touchpoints=(pinned(parties.sender),))
    async with scene.listening(certificate=certificate) as listener:
        assert await told(parties, listener, parties.sender) == [200]
        with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
            await told(parties, listener, parties.theirs.issue_cert("sender.test"))


async def test_a_listener_that_does_not_ask_is_shown_none(parties: Parties) -> None:
    """The touchpoint then refuses everybody: it fails closed."""
    scene = Scene(touchpoints=(pinned(parties.sender),))
    async with scene.listening(certificate=Certificate(*parties._pair)) as listener:
        assert await told(parties, listener, parties.sender) == [401]
    async with scene.listening() as plain:
        assert status(await exchange(plain, post(b"{}", close=True))) == 401
    assert {event.reason for event, _ in scene.refused} == {"client_certificate_missing"}


async def test_a_stored_event_keeps_the_certificate_for_being_verified_again(parties: Parties) -> None:
    """It stands among the headers under a name that no sender can use; of an event that came by a proxy it says nothing."""
    other = parties.theirs.issue_cert("sender.test")
    scene = Scene(touchpoints=(pinned(other),))
    async with scene.listening(certificate=parties.certificate()) as listener:
        assert await told(parties, listener, parties.sender) == [401]
        forged = post(b"{}", b":client-certificate: " + digest(other).encode(), close=True)
        async with dial(listener, ssl=parties.context(None), server_hostname="hooks.test") as line:
            await line.say(forged)
            assert status(await line.answer()) == 400
    ((event, body),) = scene.refused
    assert event.headers[-1] == (CLIENT_CERTIFICATE, digest(parties.sender).encode())
    again = request_of(event, body, "https://hooks.test/hooks/orders")
    assert CLIENT_CERTIFICATE not in dict(again.headers)
    assert isinstance(receive(again, pinned(parties.sender)), Verified)
    proxied = request_of(replace(event, arrived_by=ArrivedBy.PROXY), body, "https://hooks.test/hooks/orders")
    assert receive(proxied, pinned(parties.sender)) == Refused(code="client_certificate_missing")


@pytest.mark.parametrize(
    ("content", "code"), [(None, "client_ca_unreadable"), (b"", "client_ca_not_pem"), (b"\x30\x82", "client_ca_not_pem")]
)
def test_a_file_that_cannot_be_used_is_a_problem_in_words(parties: Parties, content: bytes | None, code: str) -> None:
    """It is missing, or holds no certificate."""
    if content is None:
        parties.asked.unlink()
    else:
        parties.asked.write_bytes(content)
    with pytest.raises(ProblemError) as caught:
        parties.certificate()
    assert caught.value.problems[0].code == code


def spoken(address: tuple[str, int], context: ssl.SSLContext, session: ssl.SSLSession | None) -> tuple[int, bool, Any]:
    """What a sender is answered that takes up an earlier session; whether it could, and the session for the next time."""
    with (
        socket.create_connection(address) as plain,
        context.wrap_socket(plain, server_hostname="hooks.test", session=session) as tls,
    ):
        tls.sendall(post(b"{}"))
        return status(tls.recv(4096)), tls.session_reused is True, tls.session


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_session_that_is_taken_up_again_keeps_its_certificate(parties: Parties, version: ssl.TLSVersion) -> None:
    """The sender proved it when the session began; one that began without a certificate stays without."""
    scene = Scene(touchpoints=(pinned(parties.sender),))
    async with scene.listening(certificate=parties.certificate()) as listener:
        for shown, expected in ((parties.sender, 200), (None, 401)):
            context = parties.context(shown)
            context.maximum_version = version
            first = await asyncio.to_thread(spoken, listener.address, context, None)
            second = await asyncio.to_thread(spoken, listener.address, context, first[2])
            assert (first[:2], second[:2]) == ((expected, False), (expected, True))
