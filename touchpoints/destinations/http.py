"""The HTTP destination: the original body, byte for byte, with the headers of the contract."""

import asyncio
import base64
from collections.abc import Callable

import httpx

from touchpoints.attempt import Blame, Failed, Outcome
from touchpoints.delivery import Job
from touchpoints.destinations.address import address_of
from touchpoints.destinations.answer import beginning, judge
from touchpoints.destinations.errors import failed
from touchpoints.destinations.hush import hush, hush_received
from touchpoints.destinations.passed_headers import one_line, passed_on
from touchpoints.destinations.sender import Parcel
from touchpoints.moment import SECOND, Micros, rfc3339
from touchpoints.problem import problem
from touchpoints.sign import sign_standard
from touchpoints.touchpoint import Auth, HttpDestination

MAX_HOPS = 8
LONGEST_VALUE = 256  # bytes of an event type in a header
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"expect"})  # ours alone to say
_SHOWN = frozenset({b"accept", b"content-type", b"host", b"user-agent"})  # of a destination's `headers`, in a preview

Pairs = list[tuple[bytes, bytes]]


class HttpSender:
    """One HTTP destination, opened. `transport` is its own and closed with it; `now` is the clock."""

    def __init__(self, destination: HttpDestination, transport: httpx.AsyncBaseTransport, *, now: Callable[[], Micros]) -> None:
        """Raises ValueError for a URL that is none, ProblemError(secret_malformed) for a `sign` that is no secret."""
        if destination.sign:
            sign_standard(destination.sign, "", 0, b"")
        self._destination = destination
        self._transport = transport
        self._now = now
        self._address = address_of(destination)
        self._extensions = {"target": self._address.target}
        self._seconds = destination.timeout / SECOND
        self._hush = hush(destination)
        own = [(name, value) for name, value in map(_encoded, destination.headers) if name.lower() not in _FRAMING]
        self._fixed = [*_without(_auth_headers(self._address.auth), {name.lower() for name, _ in own}), *own]
        self._fixed_names = frozenset(name.lower() for name, _ in self._fixed)
        self._host = [] if b"host" in self._fixed_names else [(b"Host", self._address.url.netloc)]

    async def attempt(self, job: Job, *, touchpoint: str) -> Outcome:
        """Try once, within the destination's timeout in all."""
        if job.event.hop >= MAX_HOPS:
            return Failed(blame=Blame.FINAL, code="hop_limit", error=problem("hop_limit").text)
        request = httpx.Request(
            self._destination.method,
            self._address.url,
            headers=[*self._host, *self._headers(job, touchpoint), (b"Content-Length", b"%d" % len(job.body))],
            stream=httpx.ByteStream(job.body),  # with `content`, httpx would look through all headers again
            extensions=self._extensions,
        )
        where = self._address.where
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._transport.handle_async_request(request)
                answer = hush_received(self._hush(await beginning(response)), job.event.headers)
        except (httpx.TransportError, OSError) as error:  # TimeoutError is an OSError
            return failed(error, where=where, timeout=self._destination.timeout)
        return judge(response, answer, where=where, now=self._now())

    def preview(self, job: Job, *, touchpoint: str) -> Parcel:
        """What `attempt` would send; values of credentials, of the destination's own headers and of the query are `***`."""
        url = self._address.url
        names = "&".join(f"{part.partition('=')[0]}=***" for part in self._address.target.partition("?")[2].split("&") if part)
        path = self._address.target.partition("?")[0]
        return Parcel(
            target=f"{url.scheme}://{url.netloc.decode('ascii')}{path}{'?' if names else ''}{names}",
            method=self._destination.method,
            headers=tuple(
                (name, value if name.lower() in _SHOWN or name.lower() not in self._fixed_names else b"***")
                for name, value in self._headers(job, touchpoint)
            ),
            body=job.body,
        )

    async def aclose(self) -> None:
        """Close the destination's connections."""
        await self._transport.aclose()

    def _headers(self, job: Job, touchpoint: str) -> Pairs:
        added = _hookport_headers(job, touchpoint)
        received = passed_on(job.event.headers)
        if self._destination.sign:
            signed = sign_standard(self._destination.sign, job.delivery.id, self._now(), job.body)
            received = _without(received, {name.lower() for name, _ in signed})
            added.extend(signed)
        return [*_without([*received, *added], self._fixed_names), *self._fixed] if self._fixed else [*received, *added]


def _hookport_headers(job: Job, touchpoint: str) -> Pairs:
    delivery, event = job.delivery, job.event
    added = [
        (b"Hookport-Delivery", delivery.id.encode()),
        (b"Hookport-Event", event.id.encode()),
        (b"Hookport-Touchpoint", _bytes(touchpoint)),
        (b"Hookport-Event-Type", _bytes(event.event_type)[:LONGEST_VALUE]),
        (b"Hookport-Attempt", b"%d" % (delivery.attempts + 1)),
        (b"Hookport-Received-At", rfc3339(event.received_at).encode()),
        (b"Hookport-Hop", b"%d" % (event.hop + 1)),
    ]
    if event.test:
        added.append((b"Hookport-Test", b"true"))
    return added


def _auth_headers(auth: Auth | None) -> Pairs:
    if auth is None or auth.place == "query":
        return []
    if auth.kind == "api_key":
        return [_encoded((auth.name, auth.secret))]
    if auth.kind == "bearer":
        return [(b"Authorization", b"Bearer " + _bytes(auth.secret))]
    pair = f"{auth.username}:{auth.secret}".encode()
    return [(b"Authorization", b"Basic " + base64.b64encode(pair))]


def _encoded(header: tuple[str, str]) -> tuple[bytes, bytes]:
    return _bytes(header[0]), _bytes(header[1])


def _bytes(text: str) -> bytes:
    return one_line(text.encode("utf-8", "replace"))


def _without(headers: Pairs, names: frozenset[bytes] | set[bytes]) -> Pairs:
    return [header for header in headers if header[0].lower() not in names]
