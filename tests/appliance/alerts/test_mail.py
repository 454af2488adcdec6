"""Alerts by e-mail, through real mail servers: by STARTTLS, by TLS, with a user; refusing, lying and hanging ones."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from appliance.alerts.mail import send_mail
from appliance.alerts.unsent import Unsent
from tests.appliance.alerts.mail_server import MailServer
from tests.appliance.alerts.make import HOSTILE, mail_settings, message, standing

pytestmark = pytest.mark.anyio

Start = Callable[..., MailServer]


@pytest.fixture
def start(free_port: Callable[[], int]) -> Iterator[Start]:
    """Starts mail servers, and stops them."""
    with ExitStack() as stack:

        def started(**options: Any) -> MailServer:
            server = MailServer(port=free_port(), **options).start()
            stack.callback(server.stop)
            return server

        yield started


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


def context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(made)
    return made


async def test_a_plain_message_for_several_people(start: Start) -> None:
    """Headers that a mail reader and an absence note understand; the words as they are."""
    server = start()
    assert await send_mail(message(standing(text="Bestellung für Åse ist weg.")), mail_settings(server.port)) == ""
    (letter,) = server.letters
    assert letter.recipients == ["ann@example.com", "bob@example.com"]
    assert letter.sender == "hookport@example.com"
    mail = letter.mail
    assert mail["Subject"] == "Hookport on srv1: Bestellung für Åse ist weg."
    assert mail["To"] == "ann@example.com, bob@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<m1@example.com>"
    assert mail["Date"] == "Fri, 15 Jan 2027 08:00:00 +0000"
    assert "Bestellung für Åse ist weg. Look." in letter.text
    assert letter.content.isascii()


async def test_a_strangers_text_adds_no_header_and_no_recipient(start: Start) -> None:
    """Line breaks are blanks, and what cannot be seen is gone."""
    server = start()
    await send_mail(message(standing(text=HOSTILE)), mail_settings(server.port))
    (letter,) = server.letters
    assert letter.recipients == ["ann@example.com", "bob@example.com"]
    assert "Bcc" not in letter.mail
    assert "\u202e" not in letter.text
    assert "Bcc: all@evil.test" in str(letter.mail["Subject"])


async def test_starttls_and_a_user(start: Start, authority: trustme.CA, ca: str) -> None:
    """The password goes over TLS alone."""
    server = start(context=context(authority), user="ann", password="hush-mail-1")
    settings = mail_settings(server.port, smtp_security="starttls", smtp_ca=ca, smtp_user="ann", smtp_password="hush-mail-1")
    await send_mail(message(), settings)
    assert [(one.encrypted, one.user) for one in server.letters] == [(True, "ann")]


async def test_tls_from_the_start(start: Start, authority: trustme.CA, ca: str) -> None:
    """As port 465 has it."""
    server = start(context=context(authority), implicit=True)
    await send_mail(message(), mail_settings(server.port, smtp_security="tls", smtp_ca=ca))
    assert [one.encrypted for one in server.letters] == [True]


async def unsent(settings: Any, *, deadline: float = 10) -> Unsent:
    with pytest.raises(Unsent) as caught:
        await send_mail(message(), settings, deadline=deadline)
    assert "hush" not in caught.value.error
    return caught.value


async def test_a_certificate_that_nobody_vouches_for(start: Start, authority: trustme.CA, ca: str) -> None:
    """Nothing is said to such a server, whichever way; nor to one with another name."""
    server = start(context=context(authority), user="ann", password="hush-mail-1")
    login = {"smtp_user": "ann", "smtp_password": "hush-mail-1"}
    assert "secure connection" in (await unsent(mail_settings(server.port, smtp_security="starttls", **login))).error
    implicit = start(context=context(authority), implicit=True)
    assert "secure connection" in (await unsent(mail_settings(implicit.port, smtp_security="tls"))).error
    other = start(context=context(authority, "other.test"), implicit=True)
    assert "secure connection" in (await unsent(mail_settings(other.port, smtp_security="tls", smtp_ca=ca))).error
    assert server.letters == implicit.letters == other.letters == []


async def test_a_server_without_starttls_gets_neither_password_nor_message(start: Start) -> None:
    """Somebody on the way may have taken the offer out."""
    server = start(user="ann", password="hush-mail-1")
    settings = mail_settings(server.port, smtp_security="starttls", smtp_user="ann", smtp_password="hush-mail-1")
    assert "STARTTLS" in (await unsent(settings)).error
    assert server.letters == []


async def test_a_wrong_password(start: Start) -> None:
    """It is said so, and not what the server answered: that repeats the password."""
    server = start(user="ann", password="right")
    error = await unsent(mail_settings(server.port, smtp_user="ann", smtp_password="hush-mail-2"))
    assert "sign in" in error.error
    assert error.lasting


@pytest.mark.parametrize(("answer", "lasting"), [("451 greylisted", False), ("554 no\x07 spam", True)])
async def test_a_message_that_is_not_taken(start: Start, answer: str, lasting: bool) -> None:
    """Its reason is told; what lasts is tried again later than what doesn't."""
    error = await unsent(mail_settings(start(answer=answer).port))
    assert error.lasting is lasting
    assert answer[:3] in error.error
    assert "\x07" not in error.error


async def test_a_recipient_who_is_refused_keeps_it_from_nobody_else(start: Start) -> None:
    """The others have it, so it isn't sent twice; who didn't get it is said."""
    server = start(refuses=("bob@example.com",))
    assert "bob@example.com" in await send_mail(message(), mail_settings(server.port))
    assert [one.recipients for one in server.letters] == [["ann@example.com"]]
    everybody = start(refuses=("bob@example.com", "ann@example.com"))
    assert "did not take" in (await unsent(mail_settings(everybody.port))).error


async def test_nobody_there_and_a_server_that_hangs(free_port: Callable[[], int]) -> None:
    """No connection is told at once; silence at the deadline, and nothing stays open."""
    assert "No connection" in (await unsent(mail_settings(free_port()))).error
    closed = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        closed.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    try:
        for security in ("none", "starttls", "tls"):
            closed.clear()
            port = server.sockets[0].getsockname()[1]
            assert "in time" in (await unsent(mail_settings(port, smtp_security=security), deadline=0.3)).error
            await asyncio.wait_for(closed.wait(), 5)
    finally:
        server.close()


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad\r\n\r\n", b"220 hi\r\n", b"\xff\xfe\r\n", b"220 " + b"x" * 100_000])
async def test_something_that_is_no_mail_server(said: bytes) -> None:
    """Whatever it says and however it leaves, that is told in words."""

    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        with contextlib.suppress(ConnectionError):
            await reader.read(10)
        writer.transport.abort()
        done.set()

    done = asyncio.Event()
    server = await asyncio.start_server(odd, "127.0.0.1", 0)
    try:
        error = await unsent(mail_settings(server.sockets[0].getsockname()[1]), deadline=2)
        assert error.error.startswith(("The mail", "No "))
        await asyncio.wait_for(done.wait(), 5)
        await asyncio.sleep(0)  # an aborted connection is closed in the loop's next round
    finally:
        server.close()
