"""The patient transport: what a request writes to while its body is still on the way."""

from typing import TYPE_CHECKING

from web.listener.connection import Phase

if TYPE_CHECKING:
    from web.listener.protocol import GuardedProtocol


class PatientTransport:
    """Its close lingers, so that the sender sees the answer."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: "GuardedProtocol") -> None:
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        """As a transport does."""
        self._protocol.transport.write(data)

    def is_closing(self) -> bool:
        """As a transport does."""
        return self._protocol.transport.is_closing()

    def close(self) -> None:
        """Close in peace."""
        if self._protocol.phase is Phase.BODY:
            self._protocol.linger()
        else:
            self._protocol.transport.close()
