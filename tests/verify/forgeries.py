"""Forgeries: rightly signed requests of every provider, each spoiled in many ways. What proves one of them proves too much."""

import random
from collections.abc import Iterator
from dataclasses import replace

from tests.verify.keyed_forgeries import BODY, keyed, variants
from touchpoints.event import Headers
from touchpoints.moment import MINUTE, SECOND
from touchpoints.provider import providers
from touchpoints.published_key import NO_KEYS, Keys
from touchpoints.receive import receive
from touchpoints.request import Refused, Request, Wanting
from touchpoints.sign import sample, sign, signed_body, signed_url
from touchpoints.touchpoint import Dedup, Touchpoint, Verification
from touchpoints.verification import secret_problem, taken

NOW = 1_800_000_000 * SECOND
URL = "https://hooks.example.com/hooks/orders"
# Pairs of a secret and another one of the same form.
_SECRETS = (
    ("It's a secret of more than thirty-two characters", "It's another one of more than thirty-two characters"),
    ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("00ff17ab", "00ff17ac"),
    ("public_1:private_1", "public_1:private_2"),
    ("c2VjcmV0LXNlY3JldA==", "b3RoZXItc2VjcmV0cw=="),
)
_ONLY_SENDER = {"asymmetric", "jwt", "sns", "paypal", "ebay"}  # these are signed in `keyed_forgeries`
_AGES = (0, 4 * MINUTE, 5 * MINUTE, 5 * MINUTE + SECOND, 6 * MINUTE, 24 * 60 * MINUTE)


def verdicts() -> dict[str, str]:
    """What the code of this process says of every request: `proved`, or why not. The same requests in every process."""
    found: dict[str, str] = {}
    for name, touchpoint in _touchpoints():
        for words, request in _requests(touchpoint):
            found[f"{name}: {words}"] = _said(request, touchpoint)
    for one in keyed():
        spoiled = [(f"headers: {words}", headers) for words, headers in _spoiled(one.request(BODY).headers)]
        others = [(words, replace(one.request(BODY), headers=headers)) for words, headers in spoiled]
        for words, request in (*variants(one), *others):
            found[f"{one.name}: {words}"] = _said(request, one.touchpoint, one.keys)
    return found


def _said(request: Request, touchpoint: Touchpoint, keys: Keys = NO_KEYS) -> str:
    try:
        came = receive(request, touchpoint, keys)
    except Exception as error:
        return f"raised {type(error).__name__}"  # the listener answers 500: nothing was taken in
    if isinstance(came, Wanting):
        return "wants a key"
    return came.code if isinstance(came, Refused) else "proved"


def _touchpoints() -> Iterator[tuple[str, Touchpoint]]:
    for name, provider in providers().items():
        if provider.verify.get("scheme") == "none":
            continue
        verification = provider.verification()
        if verification.scheme == "hmac" and not verification.signature and verification.layout == "plain":
            verification = replace(verification, signature="header:x-sig")
        if verification.scheme not in _ONLY_SENDER:
            yield name, _touchpoint(name, verification)
        for number, other in enumerate(provider.other_verifications()):
            if other.scheme not in _ONLY_SENDER:
                yield f"{name}, alternative {number}", _touchpoint(name, other)
    for scheme, secret in (("token", "s3cret-t0ken"), ("basic", "user:p4ss:word")):
        verification = Verification(scheme=scheme, credential="header:x-key" if scheme == "token" else "")
        yield scheme, _touchpoint("generic", verification, secret)
    for algorithm, encoding in (("sha1", "hex"), ("sha512", "base64")):
        verification = Verification(signature="header:x-sig", algorithm=algorithm, encoding=encoding, prefix="v0=")
        yield f"{algorithm} {encoding}", _touchpoint("generic", verification)


def _touchpoint(provider: str, verification: Verification, secret: str = "") -> Touchpoint:
    known = providers()[provider]
    return Touchpoint(
        id=1,
        name="orders",
        provider=provider,
        secrets=(secret or _fitting(verification)[0],),
        verification=verification,
        dedup=known.dedup_rule() if known.dedup else Dedup(),
        destinations=(),
    )


def _fitting(verification: Verification) -> tuple[str, str]:
    """A secret that the verification takes, and another one of the same form."""
    return next(pair for pair in _SECRETS if not secret_problem(verification, pair[0]) and taken(verification, pair[:1]))


def _requests(touchpoint: Touchpoint) -> Iterator[tuple[str, Request]]:
    body = signed_body(touchpoint, sample(touchpoint), NOW, "msg_1")
    url = signed_url(touchpoint, URL)
    headers = sign(touchpoint, body, (), NOW, url, "msg_1")
    target = url.removeprefix("https://hooks.example.com")
    good = Request(method="POST", target=target, headers=headers, body=body, remote="", received_at=NOW, url=url)
    yield "as signed", good
    yield "another body", replace(good, body=body + b" ")
    yield "an empty body", replace(good, body=b"")
    for age in _AGES:
        yield f"{age // SECOND} s old", replace(good, received_at=NOW + age)
        yield f"{age // SECOND} s early", replace(good, received_at=NOW - age)
    stranger = replace(touchpoint, secrets=(_other(touchpoint),))
    theirs = signed_body(stranger, body, NOW, "msg_1")
    yield "another secret", replace(good, body=theirs, headers=sign(stranger, theirs, (), NOW, url, "msg_1"))
    yield "another url", replace(good, url=url + "x", headers=headers)
    yield from ((f"headers: {words}", replace(good, headers=spoiled)) for words, spoiled in _spoiled(headers))


def _other(touchpoint: Touchpoint) -> str:
    return "user:another" if touchpoint.verification.scheme == "basic" else _fitting(touchpoint.verification)[1]


def _spoiled(headers: Headers) -> Iterator[tuple[str, Headers]]:
    chance = random.Random(7)
    yield "none", ()
    for number, (name, value) in enumerate(headers):
        label = name.decode()
        before, after = headers[:number], headers[number + 1 :]
        yield f"without {label}", (*before, *after)
        for words, other in _values(value, chance):
            yield f"{label} {words}", (*before, (name, other), *after)
            yield f"{label} {words}, twice", (*before, (name, other), (name, value), *after)
            yield f"{label} twice, {words}", (*before, (name, value), (name, other), *after)


def _values(value: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "cut by one", value[:-1]
    yield "longer by one", value + b"0"
    yield "halved", value[: len(value) // 2]
    yield "with a space", value + b" "
    yield "without its prefix", value.partition(b"=")[2]
    yield "with zeros", value.translate(bytes.maketrans(b"123456789abcdef", b"0" * 15))
    yield "with another prefix", b"v9=" + value.partition(b"=")[2]
    yield "repeated", b",".join([value] * 40)
    yield "among many", b",".join([b"v1=" + b"0" * 64] * 40 + [value])
    yield "not ASCII", value + "é".encode("latin-1")
    for number in range(4):
        place = chance.randrange(max(1, len(value)))
        other = bytes([(value[place] if value else 0) ^ 1 << chance.randrange(7)])
        yield f"changed at {place} ({number})", value[:place] + other + value[place + 1 :]
