"""The protocol: uvicorn's HTTP protocol with absolute deadlines, ceilings and no tolerance for ambiguous framing."""

import asyncio
import hashlib
from collections.abc import Callable
from math import inf
from typing import cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from web.listener.connection import (
    ACCEPT,
    ACCEPTED,
    CLIENT,
    FRAMING,
    GATHERED,
    HANGS_UP,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_PIPELINE,
    SWALLOW,
    Deadlines,
    Phase,
    canned,
    head_fault,
)
from web.listener.patient import PatientTransport


class _Refused(Exception):
    """Raised through the parser to stop it."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. Its listener calls `sweep` regularly: one timer for all of them.

    Reading is driven by demand: while a body is incomplete, the connection is read only when the app asks for more.
    """

    def __init__(
        self,
        config: Config,
        state: ServerState,
        deadlines: Deadlines,
        lost: Callable[["GuardedProtocol"], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(config, state, {}, loop)
        self.access_log = False
        self.parser.set_dangerous_leniencies(lenient_data_after_close=False)
        self.deadlines = deadlines
        self.phase = Phase.REST
        self.due = inf  # of a head, an idle connection, a lingering close
        self.since = loop.time()  # when it began to wait for a head
        self.unanswered = 0  # requests whose head was read
        self.first_bytes = 0  # received with the beginning of a head that is not whole
        self.head_bytes = 0  # received of it since
        self.body_since = 0.0
        self.raw_bytes = 0  # received since the head, framing included
        self.body_bytes = 0
        self.stalled = 0.0  # seconds without taking any of what is written to it
        self._lost = lost
        self._now = 0.0
        self._framed_from = 0  # of the raw bytes: how many had come when the last of the body came
        self._swallowed = 0
        self._fault = 400
        self._asked = False  # whether the app still waits for the bytes of a body that it asked for
        self._keep = True  # whether the connection lives on once the body is whole
        self._ending = False  # close after the answers that are due
        self._draining = False
        self._extensions: dict[str, dict[object, object]] = {
            ACCEPT: {"accept": self._accept},
            HANGS_UP: {"tell": self._tell_hang_up},
        }
        self._hangs_up: Callable[[], None] | None = None
        self._kept: list[tuple[bytes, bytes]] | None = None  # the headers of a head that is parsed again

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The head is due from now on."""
        super().connection_made(cast(asyncio.Transport, transport))
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and (proved := tls.getpeercert(binary_form=True)):
            self._extensions[CLIENT] = {"certificate": hashlib.sha256(proved).hexdigest()}
        self.since = self.loop.time()
        self.due = self.since + self.deadlines.head

    def connection_lost(self, exc: Exception | None) -> None:
        """The listener forgets it."""
        self.phase = Phase.LINGER
        super().connection_lost(exc)
        if self._hangs_up is not None:
            self._hangs_up()
            self._hangs_up = None
        for name in (ACCEPT, HANGS_UP):  # they hold us
            del self._extensions[name]
        self._lost(self)

    def eof_received(self) -> bool | None:  # type: ignore[override] # asyncio: true keeps our side open
        """A sender may close its side once its request is whole, and gets the answer; not where the app asked to be told."""
        if self._hangs_up is not None or not self.unanswered or self.phase is not Phase.REST or self.scheme == "https":
            return None
        self._ending = True
        return True

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what is malformed or over a ceiling."""
        if self.phase is Phase.LINGER:
            self._swallow(len(data))
            return
        self._now = self.loop.time()
        self._asked = self.phase is Phase.BODY
        if self.phase is Phase.HEAD:
            self.head_bytes += len(data)
            if self.head_bytes > MAX_HEAD:
                self.refuse(431)
                return
        elif self.phase is Phase.BODY:
            self.raw_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._parse_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.refuse(self._fault)
        else:
            if self.phase is Phase.BODY:
                self._await_body()
            elif self.phase is Phase.HEAD and not self.head_bytes:
                self.first_bytes = len(data)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self.phase = Phase.HEAD
        self.first_bytes = self.head_bytes = 0
        self._fault = 400
        if self.cycle is not None:  # the first head is due from connecting
            self.since = self._now
            self.due = self.since + self.deadlines.head

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer: counted as they come, since each takes more memory than its bytes."""
        if len(self.headers) >= MAX_HEADERS:
            self._fault = 431 if self.phase is Phase.HEAD else 400
            raise _Refused
        name = name.lower()  # from here on as uvicorn does: a call for each header would be felt
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """A head is whole: refuse it, or start the app."""
        if self._kept is not None:
            self.headers[:], self._kept = self._kept, None
        method = self.parser.get_method()
        fault = head_fault(method, self.parser.get_http_version(), self.url, self.headers)
        if fault is not None or len(self.pipeline) >= MAX_PIPELINE:
            self._fault = fault or 400
            raise _Refused
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        self.scope["extensions"] = self._extensions
        self.phase = Phase.BODY
        self.unanswered += 1
        self.body_since = self._now
        self.raw_bytes = self.body_bytes = self._framed_from = 0
        self._asked = False
        self._keep = self.cycle.keep_alive and not self._draining
        self.cycle.keep_alive = False
        self.headers = []  # trailers end here, not among the headers the app holds

    def on_body(self, body: bytes) -> None:
        """Bytes of a body."""
        self.body_bytes += len(body)
        if self._asked and len(self.cycle.body) + len(body) < GATHERED:
            self.cycle.body += body  # the app waits for more: to wake it for each byte of a slow body would cost most
            self._framed_from = self.raw_bytes
            return
        self._asked = False
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self.phase is not Phase.BODY:
            return
        super().on_message_complete()
        self.phase = Phase.REST
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keep

    def on_response_complete(self) -> None:
        """The app has answered."""
        self.unanswered -= 1
        self._hangs_up = None
        if self.phase is Phase.LINGER and not self._ending:
            return
        if self._ending:
            self.pipeline.clear()
            self.transport.close()
        elif self.pipeline or self.transport.is_closing():
            super().on_response_complete()
        else:
            self.flow.resume_reading()
            if self.phase is Phase.REST:
                self.since = self.loop.time()
                self.due = self.since + self.deadlines.idle

    def shutdown(self) -> None:
        """Part in peace: the answers that are due are given, and the next one says that it is the last."""
        self._draining = True
        self._keep = False
        if self.unanswered:
            self.cycle.keep_alive = False
        else:
            self.due = min(self.due, self.loop.time() + self.deadlines.parting)

    def sweep(self, now: float, elapsed: float) -> None:
        """Cut the connection off when it is overdue."""
        self._now = now
        self.stalled = self.stalled + elapsed if self.flow.write_paused else 0.0
        if self.stalled > self.deadlines.write:
            self.transport.abort()
        elif self.phase is Phase.BODY:
            self._sweep_body(now, elapsed)
        elif now <= self.due:
            return
        elif self.phase is Phase.HEAD:
            self.refuse(408)
        elif self.phase is Phase.LINGER:
            self.transport.abort()
        elif not self.unanswered:
            self.transport.close()

    def refuse(self, status: int) -> None:
        """Answer what cannot be served and end the connection; requests that were read whole are answered first."""
        if self.phase is Phase.BODY and not self.pipeline:
            self.unanswered -= 1
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if not self.cycle.response_started:
                self.transport.write(canned(status))
        elif self.unanswered:
            self._ending = True
            self.phase = Phase.LINGER
            self.due = inf
            return
        else:
            self.transport.write(canned(status))
        self.linger()

    def give_way(self) -> None:
        """End at once, for others; whose request is not whole is told to come again, where it still hears."""
        body = self.phase is Phase.BODY and self.unanswered == 1 and not self.cycle.response_started
        if body or (self.phase is Phase.HEAD and not self.unanswered):
            self.transport.write(canned(503))
        self.transport.abort()

    def linger(self) -> None:
        """Close, but first read and drop for a while what is on its way: an early reset would cost the sender its answer."""
        if self.transport.is_closing():
            return
        self.phase = Phase.LINGER
        self.due = self.loop.time() + self.deadlines.linger
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _tell_hang_up(self, told: Callable[[], None]) -> None:
        self._hangs_up = told
        if self._ending and self.phase is Phase.REST:  # its side was closed before the app asked
            self.transport.close()

    def _accept(self) -> bool:
        # The answer that nearly all get: uvicorn's own way to write it is 8 % of what a request costs.
        cycle = self.cycle  # the one that is answered, where none waits behind it
        if self.pipeline or not cycle.keep_alive or cycle.response_started or cycle.disconnected or self.flow.write_paused:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(ACCEPTED)
        cycle.message_event.set()
        cycle.on_response()
        return True

    def _await_body(self) -> None:
        if not self._asked:
            self._framed_from = self.raw_bytes
        if self.raw_bytes > FRAMING + 4 * self.body_bytes or self.raw_bytes - self._framed_from > FRAMING:
            self.refuse(400)
            return
        self.cycle.transport = cast(asyncio.Transport, PatientTransport(self))
        if not self._asked:  # framing alone, such as half a chunk's size, is nothing the app could take
            self.flow.pause_reading()

    def _sweep_body(self, now: float, elapsed: float) -> None:
        if self.flow.read_paused:
            self.body_since += elapsed  # it waits for us
            return
        taken = now - self.body_since
        behind = self.raw_bytes < (taken - self.deadlines.grace) * self.deadlines.rate
        if behind or taken > self.deadlines.body:
            self.refuse(408)

    def _swallow(self, n: int) -> None:
        self._swallowed += n
        if self._swallowed > SWALLOW:
            self.transport.abort()

    def _parse_without_upgrade(self, rest: bytes) -> None:
        # The parser takes what follows such a head for another protocol. We know none: it gets the head again without the wish.
        self._kept = self.headers
        lines = [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        start = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        self.parser = httptools.HttpRequestParser(self)
        self.phase = Phase.REST
        self.data_received(b"".join([start, *lines, b"\r\n", rest]))
