"""A real mail server on loopback, in a thread: it keeps what it gets, and is as difficult as it is told to be."""

import asyncio
import ssl
import threading
import warnings
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(slots=True)
class Letter:
    """One message as it arrived."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool
    user: str

    @property
    def mail(self) -> EmailMessage:
        """The message, read."""
        read = message_from_bytes(self.content, policy=default)
        assert isinstance(read, EmailMessage)
        return read

    @property
    def text(self) -> str:
        """Its words."""
        return str(self.mail.get_content())


class Recording(Controller):
    """Knows its connections, so that none is left behind in a loop that has ended."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._connections: list[SMTP] = []

    def factory(self) -> SMTP:
        """A connection."""
        made: SMTP = super().factory()  # type: ignore[no-untyped-call]
        self._connections.append(made)
        return made

    async def leave(self) -> None:
        """Wait for connections to end, which their clients have closed; then end them."""
        for _ in range(100):
            open_ = [one for one in self._connections if one.transport is not None and not one.transport.is_closing()]
            if not open_:
                break
            await asyncio.sleep(0.01)
        for one in self._connections:
            if one.transport is not None:
                assert isinstance(one.transport, asyncio.WriteTransport)
                one.transport.abort()  # a TLS connection that says goodbye first may outlive its loop
        for _ in range(5):
            await asyncio.sleep(0.01)  # a connection is closed in the loop's next rounds


@dataclass(slots=True, kw_only=True)
class MailServer:
    """`context` with `implicit` speaks TLS from the start, else by STARTTLS; `user` and `password` are wanted where given."""

    port: int
    context: ssl.SSLContext | None = None
    implicit: bool = False
    user: str = ""
    password: str = ""
    answer: str = "250 taken"  # to each message
    refuses: tuple[str, ...] = ()  # recipients
    letters: list[Letter] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    _controller: "Recording | None" = None

    def start(self) -> "MailServer":
        """Listen."""
        secure = {"ssl_context": self.context} if self.implicit else {"tls_context": self.context}
        auth = {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": False} if self.user else {}
        options: dict[str, Any] = {**secure, **auth, "require_starttls": self.context is not None and not self.implicit}
        # It warns of passwords in clear, which is what these tests are about.
        warnings.filterwarnings("ignore", "Requiring AUTH", UserWarning)
        self._controller = Recording(self, hostname="127.0.0.1", port=self.port, server_hostname="mail.test", **options)
        self._controller.start()
        return self

    def stop(self) -> None:
        """Listen no more."""
        if self._controller is not None:
            asyncio.run_coroutine_threadsafe(self._controller.leave(), self._controller.loop).result(10)
            self._controller.stop(no_assert=True)
            self._controller = None

    def _authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = (data.login, data.password) == (self.user.encode(), self.password.encode())
        # The refusal repeats what it was sent, as a hostile server would.
        said = f"535 wrong {data.password.decode(errors='replace')}"
        return AuthResult(success=right, handled=right, message=None if right else said, auth_data=data)

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if address in self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take a message, or not."""
        if self.answer.startswith("250"):
            content = envelope.original_content
            assert content is not None
            user = getattr(session.auth_data, "login", b"").decode()
            encrypted = session.ssl is not None or self.implicit
            self.letters.append(Letter(str(envelope.mail_from), list(envelope.rcpt_tos), content, encrypted, user))
            self.arrived.set()
        return self.answer

    def wait(self, count: int, *, seconds: float = 20) -> list[Letter]:
        """Wait until so many letters are here."""
        while len(self.letters) < count:
            self.arrived.clear()
            if len(self.letters) < count:
                assert self.arrived.wait(seconds), f"{len(self.letters)} of {count} letters came"
        return self.letters
