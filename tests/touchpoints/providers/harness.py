"""One rightly signed request of a sender, and what must become of it and of everything that is almost it.

A test file lists its `Case`s, made by the sender's own library or by its document, and runs

    @pytest.mark.parametrize(("case", "variant"), variants(CASES))
    def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
        \"\"\"...\"\"\"
        variant(case)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from tests.touchpoints.factory import NOW, make_request, make_touchpoint
from touchpoints.event import Headers
from touchpoints.moment import MINUTE, Micros
from touchpoints.problem import problem
from touchpoints.published_key import NO_KEYS, Keys
from touchpoints.receive import receive
from touchpoints.request import Received, Refused, Request, Verified
from touchpoints.touchpoint import Touchpoint


def changed(request: Request) -> tuple[Request, ...]:
    """The request with another body: longer, shorter, none, and one of the same length."""
    body = request.body
    middle = len(body) // 2
    other = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    return tuple(replace(request, body=one) for one in (body + b" ", body[:-1], b"", other))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How a sender proves itself. `send` makes its request at a moment; everything else is what Hookport has to say to it."""

    provider: str
    send: Callable[[Micros], Request]
    secret: str
    wrong: str  # another secret of the same form
    proof: str = ""  # the header that holds the proof; empty: it stands in the body
    event_type: str = ""
    dedup: str | None = None  # the key without the touchpoint's id
    reference: str | None = None
    stamped: Micros | None = None  # how far the time of sending may lie from now; None: the sender signs none
    wrong_code: str | None = "signature_wrong"  # None: the secret only fetches the key
    missing_code: str = "signature_missing"
    repeated_code: str | None = "signature_ambiguous"  # None: the header may be there several times
    tampered: Callable[[Request], tuple[Request, ...]] | None = changed  # None: nothing of the body is signed
    keys: Keys = field(default_factory=lambda: NO_KEYS)
    touchpoint: dict[str, Any] = field(default_factory=dict)  # fields of the touchpoint beside the preset's
    name: str = ""  # told apart from other cases of the provider

    def receive(self, request: Request, *secrets: str) -> Received:
        """What the request comes to at a touchpoint with these secrets."""
        return receive(request, self.made(*secrets), self.keys)

    def made(self, *secrets: str) -> Touchpoint:
        """The touchpoint."""
        return make_touchpoint(self.provider, *secrets, **self.touchpoint)


Variant = Callable[[Case], None]


def proved(case: Case) -> None:
    """The right request is an event with its type, its key and the number people use."""
    received = case.receive(case.send(NOW), case.secret)

    assert isinstance(received, Verified), received
    assert received.event_type == case.event_type
    assert received.dedup_key == (None if case.dedup is None else f"7:{case.dedup}")
    assert received.reference == case.reference


def rotating(case: Case) -> None:
    """While two secrets are there either proves."""
    for secrets in ((case.wrong, case.secret), (case.secret, case.wrong)):
        assert isinstance(case.receive(case.send(NOW), *secrets), Verified)


def wrong_secret(case: Case) -> None:
    """Another secret proves nothing."""
    assert case.receive(case.send(NOW), case.wrong) == Refused(code=case.wrong_code or "")


def without_secret(case: Case) -> None:
    """A touchpoint in setup takes no event."""
    assert case.receive(case.send(NOW)) == Refused(code="no_secret")


def tampered(case: Case) -> None:
    """What is signed cannot be changed."""
    right = case.send(NOW)
    assert case.tampered is not None
    others = case.tampered(right)
    assert others
    for request in others:
        assert request != right
        refused = case.receive(request, case.secret)
        assert isinstance(refused, Refused), request
        assert refused.code not in {"no_secret", "secret_unusable"}
        assert problem(refused.code)


def stale(case: Case) -> None:
    """An old request is not taken again; one a moment younger is."""
    assert case.stamped is not None
    late = replace(case.send(NOW), received_at=NOW + case.stamped + MINUTE)
    assert case.receive(late, case.secret) == Refused(code="timestamp_stale")
    in_time = replace(case.send(NOW), received_at=NOW + case.stamped - MINUTE // 2)
    assert isinstance(case.receive(in_time, case.secret), Verified)


def future(case: Case) -> None:
    """One from the future is not taken, whatever the sender's own library does."""
    assert case.stamped is not None
    early = replace(case.send(NOW), received_at=NOW - case.stamped - MINUTE)
    assert case.receive(early, case.secret) == Refused(code="timestamp_future")


def missing(case: Case) -> None:
    """Without its proof it is refused, and the reason is that."""
    request = case.send(NOW)
    assert case.receive(without(request, case.proof), case.secret) == Refused(code=case.missing_code)


def repeated(case: Case) -> None:
    """A proof that is there twice is none."""
    request = case.send(NOW)
    twice = replace(request, headers=(*request.headers, *(pair for pair in request.headers if pair[0] == case.proof.encode())))
    assert len(twice.headers) == len(request.headers) + 1
    assert case.receive(twice, case.secret) == Refused(code=case.repeated_code or "")


def variants(cases: Sequence[Case]) -> list[ParameterSet]:
    """Every case with every variant that applies to it."""
    return [
        pytest.param(case, variant, id=f"{case.provider}{'-' * bool(case.name)}{case.name}-{variant.__name__}")
        for case in cases
        for variant in _of(case)
    ]


def _of(case: Case) -> list[Variant]:
    chosen: list[Variant] = [proved, rotating, without_secret]
    if case.wrong_code is not None:
        chosen.append(wrong_secret)
    if case.tampered is not None:
        chosen.append(tampered)
    if case.stamped is not None:
        chosen += [stale, future]
    if case.proof:
        chosen.append(missing)
    if case.proof and case.repeated_code is not None:
        chosen.append(repeated)
    return chosen


def without(request: Request, name: str) -> Request:
    """The request without a header."""
    return replace(request, headers=tuple(pair for pair in request.headers if pair[0] != name.encode()))


def post(body: bytes | str, headers: dict[str, str] | Headers = (), **fields: Any) -> Request:
    """A request with headers as libraries write them; `fields` are those of Request."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    lower = tuple(
        (name.lower().encode() if isinstance(name, str) else name, value.encode() if isinstance(value, str) else value)
        for name, value in pairs
    )
    return make_request(body.encode() if isinstance(body, str) else body, lower, **fields)
