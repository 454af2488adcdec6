"""Proving a sender: how long one verification of a 2 KB body takes, by the ways that providers sign."""

import base64
import json
import time
from collections.abc import Iterator
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256

from tests.bench.children import BenchError
from tests.bench.figures import Report
from tests.touchpoints.factory import NOW, URL, make_request, make_touchpoint
from tests.touchpoints.keys import ec_key, ed_key, pem, rsa_key
from tests.touchpoints.verifiers.hostile import SHAPES, right, stretched
from touchpoints.provider import providers
from touchpoints.receive import receive
from touchpoints.request import Request
from touchpoints.selector import Reading
from touchpoints.sign import sample, sign, signed_body
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import secret_problem, verify

SIZE = 2048
HMAC_MOST, ASYMMETRIC_MOST = 30.0, 250.0  # µs
LONG = 8 * 1024  # bytes of a hostile request
TIMES = 32  # as many has the longer one
GROWTH_MOST = 500.0  # times: linear are 32 and what memory costs beyond a cache, quadratic would be 1024
_TOO_QUICK = 0.0005  # seconds for the longer one, below which a growth says nothing
_SECRETS = ("It's a secret of more than thirty-two characters", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "00ff17ab")


def verification(*, short: bool) -> Report:
    """Each HMAC provider's verification, and each kind of public key whose key is at hand, in µs."""
    report = Report()
    rounds = 300 if short else 3000
    times = {name: _microseconds(touchpoint, request, rounds) for name, touchpoint, request in _hmac()}
    slowest = max(times, key=lambda name: times[name])
    report.add(f"HMAC providers, median of {len(times)}", median(times.values()), "µs", target=HMAC_MOST, at_most=True)
    report.add(f"slowest HMAC provider ({slowest})", times[slowest], "µs", target=HMAC_MOST, at_most=True)
    for name, touchpoint, request in _asymmetric():
        report.add(name, _microseconds(touchpoint, request, rounds // 3), "µs", target=ASYMMETRIC_MOST, at_most=True)
    grown, where = _growth(short=short)
    report.add(f"a hostile request of {TIMES} times the length takes", grown, "x", target=GROWTH_MOST, at_most=True)
    report.notes.append(f"the worst of them: {where}")
    return report


def _growth(*, short: bool) -> tuple[float, str]:
    """The worst growth of any provider over every hostile shape and place, and whose it is; 1 where all are quick."""
    worst, where = 1.0, "all at once"
    for name in [name for name in providers() if providers()[name].verify][:: 6 if short else 1]:
        touchpoint, request = right(name)
        for place in ("body", "header"):
            for shape in SHAPES:
                long = stretched(request, place, shape, TIMES * LONG)
                took = _seconds(touchpoint, long, 1)
                if took > _TOO_QUICK:
                    took = _seconds(touchpoint, long, 3)
                    grown = took / _seconds(touchpoint, stretched(request, place, shape, LONG), 5)
                    if grown > worst:
                        worst, where = grown, f"{name}, {place} of {shape[1].decode()}"
    return worst, where


def _seconds(touchpoint: Touchpoint, request: Request, rounds: int) -> float:
    """The quickest of several times."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        receive(request, touchpoint)
        taken.append(time.perf_counter() - began)
    return min(taken)


def _microseconds(touchpoint: Touchpoint, request: Request, rounds: int) -> float:
    """The median of one verification, its reading included."""
    if verify(Reading(request), touchpoint, NOW) is not None:
        raise BenchError(f"{touchpoint.provider}: what was signed does not verify")
    taken = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        verify(Reading(request), touchpoint, NOW)
        taken.append(time.perf_counter_ns() - began)
    return median(taken) / 1000


def _hmac() -> Iterator[tuple[str, Touchpoint, Request]]:
    for name, one in providers().items():
        way = one.verification()
        if way.scheme != "hmac" or (not way.signature and way.layout == "plain"):
            continue
        secret = next(secret for secret in _SECRETS if secret_problem(way, secret) is None)
        touchpoint = make_touchpoint(name, secret, alternatives=())
        body = signed_body(touchpoint, _padded(sample(touchpoint)), NOW, "msg_1")
        yield name, touchpoint, make_request(body, sign(touchpoint, body, (), NOW, URL, "msg_1"))


def _padded(body: bytes) -> bytes:
    """A sample of 2 KB: what a webhook of a shop has."""
    if not body.startswith(b"{"):
        return body
    return json.dumps(json.loads(body) | {"pad": "x" * max(0, SIZE - len(body) - 12)}).encode()


def _asymmetric() -> Iterator[tuple[str, Touchpoint, Request]]:
    body = b"x" * SIZE
    p256, rsa, ed25519 = ec_key("bench"), rsa_key("bench"), ed_key("bench")
    for algorithm, key, signature in (
        ("ecdsa-sha256", pem(p256), p256.sign(body, ec.ECDSA(SHA256()))),
        ("rsa-sha256", pem(rsa), rsa.sign(body, padding.PKCS1v15(), SHA256())),
        ("ed25519", pem(ed25519), ed25519.sign(body)),
    ):
        way = Verification(scheme="asymmetric", signature="header:x-sig", algorithm=algorithm, encoding="base64", key="pem")
        touchpoint = make_touchpoint("generic", key, verification=way)
        yield f"{algorithm}, key at hand", touchpoint, make_request(body, ((b"x-sig", base64.b64encode(signature)),))
