"""The kinds of destination and what opens them."""

from collections.abc import Callable, Mapping
from typing import cast

from touchpoints.destinations.folder import FolderSender
from touchpoints.destinations.http import HttpSender
from touchpoints.destinations.sender import Sender
from touchpoints.destinations.transport import open_transport
from touchpoints.destinations.unusable import UnusableSender
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError
from touchpoints.touchpoint import Destination, FolderDestination, HttpDestination

Opener = Callable[[Destination, Mapping[str, str], Callable[[], Micros]], Sender]


def _open_http(destination: Destination, environment: Mapping[str, str], now: Callable[[], Micros]) -> Sender:
    http = cast(HttpDestination, destination)
    return HttpSender(http, open_transport(http, environment), now=now)


def _open_folder(destination: Destination, _environment: Mapping[str, str], _now: Callable[[], Micros]) -> Sender:
    return FolderSender(cast(FolderDestination, destination))


SENDERS: dict[str, Opener] = {"http": _open_http, "folder": _open_folder}


def open_sender(destination: Destination, *, environment: Mapping[str, str], now: Callable[[], Micros]) -> Sender:
    """The sender of a destination; nothing is connected or written yet.

    `environment` gives HTTP_PROXY, HTTPS_PROXY and NO_PROXY; `now` is the clock. Settings that cannot work make a sender whose
    attempts fail in words. Raises KeyError for an unknown kind.
    """
    try:
        return SENDERS[destination.kind](destination, environment, now)
    except (ValueError, ProblemError) as error:
        return UnusableSender(str(error).rstrip("."))
