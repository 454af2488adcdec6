"""What a kind of handshake is: which requests are one, what answers them, and who can."""

from collections.abc import Callable
from dataclasses import dataclass

from touchpoints.event import Headers
from touchpoints.request import Answer, Request
from touchpoints.selector import Reading
from touchpoints.touchpoint import Touchpoint

Methods = Callable[[str], tuple[str, ...]]  # the methods of a kind, by its argument; raises ValueError where that is none


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenKind:
    """One that needs no secret: answered before verification, and by a hosted proxy itself."""

    methods: Methods
    answer: Callable[[Request, str], Answer | None]  # None: this request is none of its kind
    unsigned: bool = False  # a request with a signature is none: it has to prove it


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedKind:
    """One that only who knows the touchpoint's secrets can answer: a hosted proxy asks the agent."""

    methods: Methods
    is_one: Callable[[Reading, str], bool]  # by its look alone; a wrong yes costs a moment, and loses nothing
    answer: Callable[[Reading, Touchpoint, str], Answer | None]  # only of what is one
    proof: str = "none"  # none: before verification | always: after it | unless_setup: after it, and before it without secrets
    asks: bool = True  # False: its sender does not wait for what it comes to; through a proxy it is queued like an event
    refuses: bool = False  # through a proxy a request that proves nothing is refused at once, instead of kept
    shows: bool = False  # a person has to enter the captured secret at the sender
    stands_for: Callable[[Reading, str], bool] | None = None  # whether an event could be something this kind once signed


Kind = OpenKind | ClosedKind

_NOSNIFF = (b"x-content-type-options", b"nosniff")
TEXT: Headers = ((b"content-type", b"text/plain; charset=utf-8"), _NOSNIFF)
JSON: Headers = ((b"content-type", b"application/json"), _NOSNIFF)

MALFORMED = Answer(status=400)
FORBIDDEN = Answer(status=403)
UNKNOWN_SENDER = Answer(status=401)


def by(*methods: str) -> Methods:
    """The same methods, whatever the argument."""
    return lambda _argument: methods
