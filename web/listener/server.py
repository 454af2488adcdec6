"""The listener: one address and port, its accept loop, and its connections. Serves any ASGI app."""

import asyncio
import contextlib
import itertools
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.server import ServerState

from touchpoints.handles import no_handle_left
from touchpoints.problem import ProblemError, problem
from web.listener.certificate import Certificate
from web.listener.connection import Deadlines, canned
from web.listener.crowd import Ceilings, Crowd
from web.listener.port import open_port
from web.listener.protocol import GuardedProtocol
from web.listener.room import Room, dawdles, held
from web.listener.uvicorn_config import uvicorn_config

_log = logging.getLogger(__name__)
_TURN = 16  # connections accepted before others get a turn: a flood of them leaves more than half of the time to requests
_SWEPT = 100  # connections looked at before others get a turn: thousands may be overdue at once
_WAIT = 30.0  # seconds that an address finds no place whose connections had to give way, while all are taken
_WAKE = 1.0  # seconds for the accept loop to see that it is to end
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def _nobody(_address: str) -> bool:
    return False


class Listener:
    """Listens on one address and port. Open it with `Listener.open`; set `certificate` any time, new connections follow.

    The accept loop is our own: it outlives every failure to accept (asyncio's closes its socket on some of Windows').
    """

    def __init__(
        self,
        app: Any,  # an ASGI app: uvicorn, Litestar and asgiref each type it their own way
        address: str,
        port: int,
        *,
        certificate: Certificate | None = None,
        deadlines: Deadlines | None = None,
        ceilings: Ceilings | None = None,
        trusted: Callable[[str], bool] = _nobody,
    ) -> None:
        self.certificate = certificate
        self.deadlines = deadlines or Deadlines()
        self._place = (address, port)
        self._crowd = Crowd(ceilings or Ceilings(), trusted)
        self._config = uvicorn_config(app)
        self._state = ServerState()
        self._sock: socket.socket | None = None
        self._stopping = False
        self._short = False  # the last connection could not be accepted for want of a file handle
        self._accepting: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._arriving: dict[GuardedProtocol, asyncio.Task[None]] = {}
        self._probes: dict[Any, asyncio.Future[None]] = {}
        self._keys: dict[GuardedProtocol, str] = {}
        self._room = Room(self._keys.keys())

    @classmethod
    async def open(cls, app: Any, address: str, port: int, **options: Any) -> "Listener":
        """Bind and serve; the options are those of the constructor. Raises ProblemError as `open_port` does."""
        listener = cls(app, address, port, **options)
        await listener.start()
        return listener

    @property
    def address(self) -> tuple[str, int]:
        """The bound address and port; the wanted one before `start`."""
        return self._place

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return self._crowd.total

    async def start(self) -> None:
        """Bind and accept. Raises ProblemError as `open_port` does."""
        self._sock = await asyncio.to_thread(open_port, *self._place)
        name = self._sock.getsockname()
        self._place = (str(name[0]), int(name[1]))
        self._stopping = False
        self._accepting = asyncio.create_task(self._accept(self._sock))  # noqa: TID251 - held; stop ends it
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(self._sweep())  # noqa: TID251 - held; close ends it

    async def stop(self) -> None:
        """Accept no more and free the port; connections go on."""
        self._stopping = True
        if self._accepting is not None and not self._accepting.done():
            # Cancelled, it could drop a connection that it has just been given; a connection of our own wakes it instead.
            with contextlib.suppress(ProblemError):
                await self.probe(_WAKE)
        await _end(self._accepting)
        sock, self._sock, self._accepting = self._sock, None, None
        if sock is not None:
            with contextlib.suppress(OSError):
                self._admit_waiting(sock)  # they are served, not reset
            sock.close()

    async def rebind(self) -> None:
        """Bind anew, for a dead accept loop. Raises ProblemError as `open_port` does."""
        await self.stop()
        try:
            await self.start()
        except ProblemError:
            await self.close(self.deadlines.parting)  # Windows keeps a port while connections accepted on it live
            await self.start()

    async def close(self, grace: float) -> None:
        """Stop, give the requests in progress up to `grace` seconds, and cut off the rest."""
        await self.stop()
        loop = asyncio.get_running_loop()
        end = loop.time() + grace
        for connection in list(self._keys):
            connection.shutdown()
        while (self._keys or self._arriving or self._state.tasks) and loop.time() < end:  # noqa: ASYNC110 - uvicorn tells no event
            await asyncio.sleep(min(0.02, grace))
        for connection in list(self._keys):
            self._cut(connection)
        tasks = (*self._arriving.values(), *self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _end(self._sweeping)
        self._sweeping = None

    async def probe(self, seconds: float = 5.0) -> bool:
        """Whether our accept loop takes a connection to our own port.

        Raises ProblemError(listener_no_handles) where that cannot be told, and binding anew were no help.
        """
        if self._sock is None:
            return False
        host, port = self.address
        ours = _EVERYWHERE.get(host, host)
        # Proactor takes an IPv6 address in full only.
        target = (ours, port, 0, 0) if self._sock.family == socket.AF_INET6 else (ours, port)
        seen: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            ours_too = socket.socket(self._sock.family, socket.SOCK_STREAM)
        except OSError as error:
            raise ProblemError(problem("listener_no_handles", address=host, port=port)) from error
        with ours_too as sock:
            sock.setblocking(False)
            sock.bind((ours, 0))
            key = sock.getsockname()[:2]
            self._probes[key] = seen
            try:
                async with asyncio.timeout(seconds):
                    await asyncio.get_running_loop().sock_connect(sock, target)
                    await seen
            except (OSError, TimeoutError):
                if self._short:
                    raise ProblemError(problem("listener_no_handles", address=host, port=port)) from None
                return False
            finally:
                del self._probes[key]
        return True

    async def _accept(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        told = ""
        while sock.fileno() != -1 and not self._stopping:
            try:
                self._admit(*await loop.sock_accept(sock))
                self._admit_waiting(sock, _TURN)
                self._short = False
            except Exception as error:
                self._short = no_handle_left(error)
                if told != str(error):
                    told = str(error)
                    _log.warning("connections cannot be accepted: %s", told)
                await asyncio.sleep(0.2)  # out of handles, perhaps: others may end meanwhile
            await asyncio.sleep(0)

    def _admit_waiting(self, sock: socket.socket, most: int | None = None) -> None:
        """Take whom the system has accepted already; the loop's own way is a quarter of what each costs."""
        with contextlib.suppress(BlockingIOError, InterruptedError):
            for _ in range(most) if most is not None else itertools.count():
                self._admit(*sock.accept())

    def _admit(self, sock: socket.socket, peer: Any) -> None:
        probe = self._probes.get(peer[:2])
        if probe is not None and not probe.done():
            probe.set_result(None)
            sock.close()
            return
        key = self._place_of(str(peer[0]))
        if key is None:
            self._turn_away(sock)
            return
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # reset already
            # Head and body of an answer are two writes: without this the second waits up to 40 ms. asyncio sets it only where
            # a socket tells its protocol, which an accepted one does not on every system.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = GuardedProtocol(self._config, self._state, self.deadlines, self._lost, asyncio.get_running_loop())
        self._keys[protocol] = key
        task = asyncio.create_task(self._serve(sock, protocol))  # noqa: TID251 - held until done
        self._arriving[protocol] = task
        task.add_done_callback(partial(self._arrived, sock, protocol))

    def _place_of(self, address: str) -> str | None:
        """Where a newcomer is counted; None where it finds no place. Its own address' ceiling costs no other theirs."""
        now = asyncio.get_running_loop().time()
        if self._crowd.refuses(address, now):
            return None
        if self._crowd.full:
            self._make_room(now)
        return None if self._crowd.full else self._crowd.enter(address)

    def _arrived(self, sock: socket.socket, protocol: GuardedProtocol, task: asyncio.Task[None]) -> None:
        del self._arriving[protocol]
        if task.cancelled():  # before it began: nobody else closes it
            sock.close()
            self._lost(protocol)

    async def _serve(self, sock: socket.socket, protocol: GuardedProtocol) -> None:
        context = self.certificate.context if self.certificate else None
        limits: dict[str, Any] = {}
        if context is not None:
            limits = {"ssl_handshake_timeout": self.deadlines.handshake, "ssl_shutdown_timeout": self.deadlines.linger}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, sock, ssl=context, **limits)
        except (OSError, asyncio.CancelledError):
            self._lost(protocol)  # no connection, or no handshake
        except Exception:
            _log.exception("a connection could not be served")
            self._lost(protocol)

    def _lost(self, protocol: GuardedProtocol) -> None:
        key = self._keys.pop(protocol, None)
        if key is not None:
            self._crowd.leave(key)

    def _make_room(self, now: float) -> None:
        """End the connection that has used up most of its time without doing anything."""
        protocol = self._room.next_to_go(now)
        if protocol is not None:
            if dawdles(protocol, now):
                self._crowd.let_wait(self._keys[protocol], now + _WAIT)
            self._cut(protocol)

    def _cut(self, protocol: GuardedProtocol) -> None:
        """End a connection, whatever it is at; a request that is not whole is answered 503."""
        if protocol.transport is not None:
            protocol.give_way()
        elif protocol in self._arriving:
            self._arriving[protocol].cancel()  # in the middle of its handshake
        self._lost(protocol)

    def _turn_away(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.certificate is None:
                sock.setblocking(False)
                sock.send(canned(503))
        sock.close()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(self.deadlines.sweep)
            now = loop.time()
            for number, protocol in enumerate(list(self._keys), 1):
                if protocol in self._keys and protocol.transport is not None:
                    self._sweep_one(protocol, now, now - last)
                if number % _SWEPT == 0:
                    await asyncio.sleep(0)
            last = now
            await self._relieve()

    async def _relieve(self) -> None:
        """End those that hold most of what unfinished requests may hold together, where it is too much."""
        for number, protocol in enumerate(self._room.too_much(), 1):
            try:
                if protocol in self._keys and held(protocol):  # it may be whole by now
                    self._cut(protocol)
            except Exception:
                _log.exception("a connection could not be ended")
            if number % _SWEPT == 0:
                await asyncio.sleep(0)

    def _sweep_one(self, protocol: GuardedProtocol, now: float, elapsed: float) -> None:
        try:
            protocol.sweep(now, elapsed)
        except Exception:
            _log.exception("a connection could not be ended in peace")
            protocol.transport.abort()


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
