"""Rightly signed requests of senders who sign with a private key, or by a token, and what a stranger makes of them."""

import base64
import hashlib
import hmac
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.verify.fixed_keys import Private, der, ec_key, ed_key, rsa_key, signature, spki
from touchpoints.event import Headers
from touchpoints.moment import SECOND
from touchpoints.provider import provider
from touchpoints.published_key import NO_KEYS, KeyPlace, Keys, PublishedKeys
from touchpoints.request import Request
from touchpoints.touchpoint import Touchpoint, Verification

NOW = 1_800_000_000 * SECOND
STAMP = NOW // SECOND
BODY = b'{"id":"evt_1","type":"order.created","amount":4200}'
SHARED = "shared-secret-of-at-least-thirty-two-bytes"
ARN = "arn:aws:sns:us-west-2:123456789012:MyTopic"
CERTIFICATE = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"
PAYPAL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
WEBHOOK = "8PT597110X687430LKGECATA"
EBAY = "Shop-App-PRD-1:PRD-secret"
KEY_ID = "9936261a-7d7b-4621-a0f1-96ccb428af49"
JWKS = "https://login.example.com/keys"

Made = tuple[bytes, Headers]  # body and headers
Make = Callable[[bytes, int], Made]  # of a body, by the key of a seed: 1 is the right one


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A touchpoint, the published keys at hand, and who signs for it."""

    name: str
    touchpoint: Touchpoint
    make: Make
    keys: Keys = field(default_factory=lambda: NO_KEYS)

    def request(self, body: bytes, seed: int = 1) -> Request:
        """As its sender sends it."""
        made, headers = self.make(body, seed)
        url = "https://hooks.example.com/hooks/orders"
        return Request(method="POST", target="/hooks/orders", headers=headers, body=made, remote="", received_at=NOW, url=url)


def keyed() -> Iterator[Keyed]:
    """One of every way to sign."""
    for algorithm, key in (("rsa-sha256", rsa_key), ("rsa-sha1", rsa_key), ("ecdsa-sha256", ec_key), ("ed25519", ed_key)):
        plain = Verification(scheme="asymmetric", algorithm=algorithm, signature="header:x-sig", encoding="base64", key="spki")
        yield Keyed(name=algorithm, touchpoint=_touchpoint(plain, spki(key())), make=_plain(algorithm, key))
    whpk = "whpk_" + base64.b64encode(ed_key().public_key().public_bytes_raw()).decode()
    yield Keyed(name="v1a", touchpoint=_preset("standard_webhooks", whpk), make=_standard)
    token: Mapping[str, Any] = {"scheme": "jwt", "credential": "header:authorization", "prefix": "Bearer "}
    one = Verification(algorithm="HS256", key="utf8", issuer="shop", audience="us", **token)
    yield Keyed(name="HS256", touchpoint=_touchpoint(one, SHARED), make=_token("HS256"))
    two = Verification(algorithm="RS256|ES256", key="spki", issuer="shop", claims=("sub=orders",), **token)
    yield Keyed(name="RS256", touchpoint=_touchpoint(two, spki(rsa_key())), make=_token("RS256"))
    place = KeyPlace(kind="jwks", url=JWKS)
    three = Verification(algorithm="RS256", key="published:jwks", key_url=f"const:{JWKS}", audience="{secret}", **token)
    yield Keyed(name="published RS256", touchpoint=_touchpoint(three, "us"), make=_token("RS256"), keys=_at(place, "key-1"))
    for version in ("1", "2"):
        keys = _at(KeyPlace(kind="x509", url=CERTIFICATE), "")
        yield Keyed(name=f"sns {version}", touchpoint=_preset("aws_sns", ARN), make=_sns(version), keys=keys)
    paypal = _at(KeyPlace(kind="x509", url=PAYPAL), "")
    yield Keyed(name="paypal", touchpoint=_preset("paypal", WEBHOOK), make=_paypal, keys=paypal)
    ebay = KeyPlace(kind="ebay", url=f"https://api.ebay.com/commerce/notification/v1/public_key/{KEY_ID}", credential=EBAY)
    found = PublishedKeys(place=ebay, keys={"": der(ec_key())}, fetched_at=NOW)
    yield Keyed(name="ebay", touchpoint=_preset("ebay", EBAY), make=_ebay, keys={ebay: found})


def variants(one: Keyed) -> Iterator[tuple[str, Request]]:
    """The request as it was signed, by another's key, and with a part of what it is proved by exchanged for another's."""
    good, theirs = one.request(BODY), one.request(BODY, 2)
    yield "as signed", good
    yield "by another's key", theirs
    yield "another body", replace(good, body=good.body + b" ")
    yield "an empty body", replace(good, body=b"")
    yield "headers of another event", replace(good, headers=one.request(BODY.replace(b"42", b"43")).headers)
    yield "body of another event", replace(good, body=one.request(BODY.replace(b"42", b"43")).body)
    for age in (-3600, -299, 299, 3600):
        yield f"{age} s later", replace(good, received_at=NOW + age * SECOND)
    if good.body[:1] == b"{":
        yield from _fields(good)


def _fields(good: Request) -> Iterator[tuple[str, Request]]:
    """A signed object in the body: each field missing, another, or of another kind."""
    held = json.loads(good.body)
    for name, value in held.items():
        without = {key: other for key, other in held.items() if key != name}
        yield f"without {name}", replace(good, body=json.dumps(without).encode())
        for words, other in (("another", f"{value}x"), ("empty", ""), ("null", None), ("a list", [value])):
            yield f"{name} {words}", replace(good, body=json.dumps({**held, name: other}).encode())


def _touchpoint(verification: Verification, secret: str) -> Touchpoint:
    return Touchpoint(
        id=1,
        name="orders",
        provider="generic",
        secrets=(secret,),
        verification=verification,
        dedup=provider("generic").dedup_rule(),
    )


def _preset(name: str, secret: str) -> Touchpoint:
    known = provider(name)
    made = replace(_touchpoint(known.verification(), secret), provider=name, dedup=known.dedup_rule(), handshake="")
    return replace(made, alternatives=known.other_verifications())


def _at(place: KeyPlace, name: str) -> Keys:
    return {place: PublishedKeys(place=place, keys={name: der(rsa_key())}, fetched_at=NOW)}


def _mark(algorithm: str, key: Private, data: bytes) -> bytes:
    return base64.b64encode(signature(algorithm, key, data))


def _plain(algorithm: str, key: Callable[[int], Private]) -> Make:
    return lambda body, seed: (body, ((b"x-sig", _mark(algorithm, key(seed), body)),))


def _standard(body: bytes, seed: int) -> Made:
    made = b"v1a," + _mark("ed25519", ed_key(seed), b"msg_1.%d." % STAMP + body)
    return body, ((b"webhook-id", b"msg_1"), (b"webhook-timestamp", b"%d" % STAMP), (b"webhook-signature", made))


def _token(algorithm: str) -> Make:
    """A token proves who sends, not what: its body is whatever came along."""

    def encoded(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    def make(body: bytes, seed: int) -> Made:
        claims = {"iss": "shop", "aud": "us", "sub": "orders", "iat": STAMP, "exp": STAMP + 60}
        head = {"alg": algorithm, "typ": "JWT", "kid": "key-1"}
        text = b".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
        secret = SHARED if seed == 1 else SHARED[::-1]
        if algorithm == "HS256":
            proof = hmac.digest(secret.encode(), text, hashlib.sha256)
        else:
            proof = signature("rsa-sha256", rsa_key(seed), text)
        return body, ((b"authorization", b"Bearer " + text + b"." + encoded(proof)),)

    return make


def _sns(version: str) -> Make:
    def make(body: bytes, seed: int) -> Made:
        told = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": ARN,
            "Message": body.decode(),
            "Timestamp": "2012-05-02T00:54:06.655Z",
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE,
        }
        text = "".join(f"{name}\n{told[name]}\n" for name in ("Message", "MessageId", "Timestamp", "TopicArn", "Type"))
        mark = _mark("rsa-sha1" if version == "1" else "rsa-sha256", rsa_key(seed), text.encode())
        return json.dumps({**told, "Signature": mark.decode()}).encode(), ((b"x-amz-sns-message-type", b"Notification"),)

    return make


def _paypal(body: bytes, seed: int) -> Made:
    id_, sent = "d938e770-8046-11e6-8103-6b62a8a99ac4", "2016-09-21T22:00:46Z"
    mark = _mark("rsa-sha256", rsa_key(seed), f"{id_}|{sent}|{WEBHOOK}|{zlib.crc32(body)}".encode())
    values = {"id": id_.encode(), "time": sent.encode(), "sig": mark}
    headers = [(f"paypal-transmission-{name}".encode(), value) for name, value in values.items()]
    return body, (*headers, (b"paypal-cert-url", PAYPAL.encode()), (b"paypal-auth-algo", b"SHA256withRSA"))


def _ebay(body: bytes, seed: int) -> Made:
    mark = _mark("ecdsa-sha1", ec_key(seed), body).decode()
    told = json.dumps({"alg": "ecdsa", "kid": KEY_ID, "signature": mark, "digest": "SHA1"}).encode()
    return body, ((b"x-ebay-signature", base64.b64encode(told)),)
