"""eBay: ECDSA over the body, by a key that eBay gives to registered applications; each secret is `CLIENT ID:CLIENT SECRET`.

The header is Base64 of a JSON object with `kid` and `signature` (github.com/eBay/event-notification-nodejs-sdk). The key of
that `kid` is asked for with the application's own token (developer.ebay.com, Notification API: getPublicKey), in the sandbox
for a client id of the sandbox: eBay writes SBX into those.
"""

import re
from collections.abc import Sequence

import orjson

from touchpoints.public_key import prepared, proves
from touchpoints.published_key import KeyPlace
from touchpoints.request import Refused, Wanting
from touchpoints.selector import Reading
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.encoding import from_base64
from touchpoints.verifiers.key_choice import published

_HEADER = b"x-ebay-signature"
_LONGEST = 4096
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")  # it becomes a part of an address: nothing that leads elsewhere
_PATH = "/commerce/notification/v1/public_key/"


def verify(reading: Reading, check: Check) -> Refused | Wanting | None:
    """Why the sender isn't proved, or None; the keys that are wanted where the key is not at hand."""
    values = reading.headers(_HEADER)
    if len(values) != 1:
        return Refused(code="signature_ambiguous" if values else "signature_missing")
    signed = _read(values[0])
    if signed is None:
        return Refused(code="signature_malformed")
    key_id, mark = signed
    places = [place_of(secret, key_id) for secret in check.secrets if is_credential(secret)]
    if not places:
        return Refused(code="secret_unusable")
    keys = _at_hand(check, places)
    if isinstance(keys, Wanting):
        return keys
    material = prepared("ecdsa-sha1", [reading.request.body])
    return None if any(proves("ecdsa-sha1", key, mark, material) for key in keys) else Refused(code="signature_wrong")


def is_credential(secret: str) -> bool:
    """Whether a secret is a client id and a client secret with a colon between them."""
    text = secret.strip()
    client, _, password = text.partition(":")
    return bool(client and password and text.isascii() and text.isprintable())


def place_of(secret: str, key_id: str) -> KeyPlace:
    """Where the key of that id stands for an application."""
    sandbox = "-SBX-" in secret.partition(":")[0].upper()
    return KeyPlace(
        kind="ebay", url=f"https://api{'.sandbox' if sandbox else ''}.ebay.com{_PATH}{key_id}", credential=secret.strip()
    )


def _at_hand(check: Check, places: Sequence[KeyPlace]) -> Sequence[bytes] | Wanting:
    """The key as any of the applications got it; it is the same for all of them."""
    keys: list[bytes] = []
    for place in places:
        found = published(check, place)
        keys.extend(found if isinstance(found, Sequence) else ())
    return keys or Wanting(keys=tuple(places))


def _read(header: bytes) -> tuple[str, bytes] | None:
    raw = from_base64(header) if len(header) <= _LONGEST else None
    try:
        fields = orjson.loads(raw or b"")
    except orjson.JSONDecodeError:
        return None
    key_id, signature = (fields.get("kid"), fields.get("signature")) if isinstance(fields, dict) else (None, None)
    if not isinstance(key_id, str) or not isinstance(signature, str) or _KEY_ID.fullmatch(key_id) is None:
        return None
    mark = from_base64(signature.encode("utf-8", "replace"))
    return None if mark is None else (key_id, mark)
