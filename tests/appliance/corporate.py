"""A corporate network's way out: an HTTP proxy that tunnels by CONNECT, itself by TLS where it has a certificate."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Corporate:
    """`tunnels` are the targets it was asked for. Only it knows where `outside` names lead: to this machine."""

    outside: str
    password: str = ""  # user:password
    port: int = 0
    tunnels: list[str] = field(default_factory=list)
    refused: int = 0
    _open: set["asyncio.Task[None]"] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        wanted = f"proxy-authorization: basic {base64.b64encode(self.password.encode()).decode()}".lower()
        if self.password and wanted not in [line.lower() for line in head]:
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        assert method == "CONNECT"
        self.tunnels.append(target)
        host, _, port = target.rpartition(":")
        there, here = await asyncio.open_connection("127.0.0.1" if host == self.outside else host, int(port))
        writer.write(b"HTTP/1.1 200 Go\r\n\r\n")
        try:
            await asyncio.wait(
                (asyncio.ensure_future(_carry(reader, here)), asyncio.ensure_future(_carry(there, writer))),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            here.close()

    async def close(self) -> None:
        """Cut every tunnel."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def corporate(outside: str, *, password: str = "", tls: ssl.SSLContext | None = None) -> AsyncIterator[Corporate]:
    """One on loopback."""
    made = Corporate(outside=outside, password=password)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.close()
