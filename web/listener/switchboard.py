"""The switchboard: moves a listener to another address, port or certificate while traffic flows."""

import asyncio
from collections.abc import Callable

from touchpoints.problem import ProblemError
from web.listener.certificate import Certificate
from web.listener.server import Listener

MakeListener = Callable[[str, int, Certificate | None], Listener]


class Switchboard:
    """Holds the listener that stands now, and those that are being drained."""

    def __init__(self, make: MakeListener, grace: float = 30.0) -> None:
        self._make = make  # makes a listener that is not started
        self._grace = grace
        self._draining: set[asyncio.Task[None]] = set()
        self._wanted: tuple[str, int] | None = None
        self.listener: Listener | None = None

    async def switch(self, address: str, port: int, certificate: Certificate | None) -> Listener:
        """Listen there from now on.

        - The same place: only the certificate changes.
        - Another port: it is bound before the old one is drained and closed.
        - The same port on another address: the old one stops first and stands again when the new one fails.

        Raises ProblemError as `open_port` does; then the old listener stands as before.
        """
        old = self.listener
        if old is not None and self._wanted == (address, port):
            old.certificate = certificate
            return old
        new = self._make(address, port, certificate)
        if old is not None and old.address[1] == port:
            await self._replace(old, new)
        else:
            await new.start()
        self.listener, self._wanted = new, (address, port)
        if old is not None:
            await old.stop()  # its port is free again when this returns: whoever changes their mind finds it so
            self._drain(old)
        return new

    async def watch(self, seconds: float = 5.0) -> bool:
        """Rebind when our own port does not answer; whether that was needed.

        Raises ProblemError when that fails, or cannot be told: watch on.
        """
        listener = self.listener
        if listener is None or await listener.probe(seconds):
            return False
        await listener.rebind()
        return True

    async def close(self, grace: float) -> None:
        """Close everything, within `grace` seconds."""
        listener, self.listener, self._wanted = self.listener, None, None
        if listener is not None:
            await listener.close(grace)
        for task in self._draining:
            task.cancel()
        await asyncio.gather(*self._draining, return_exceptions=True)

    async def _replace(self, old: Listener, new: Listener) -> None:
        await old.stop()
        try:
            await self._start_in_place_of(old, new)
        except ProblemError:
            await old.start()
            raise

    async def _start_in_place_of(self, old: Listener, new: Listener) -> None:
        try:
            await new.start()
        except ProblemError as error:
            if error.problems[0].code != "port_taken":
                raise
            await old.close(old.deadlines.parting)  # Windows keeps a port while connections accepted on it live
            await new.start()

    def _drain(self, listener: Listener) -> None:
        task = asyncio.create_task(listener.close(self._grace))  # noqa: TID251 - held here until done
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)
