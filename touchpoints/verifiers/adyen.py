"""Adyen's standard webhooks: a signature in each item of the batch, over eight of its fields.

Sources: docs.adyen.com, "Verify HMAC signatures"; Adyen 16.0.0 util.py, which looks at a batch's first item only. Here each
item must prove itself: a stranger could add one to a batch. Nor may a name repeat: who takes its first value reads what no
signature is for. Adyen's other webhooks are signed as a whole, by a header: `hmac`.
"""

import hmac
from typing import Any

from touchpoints.pointer import ABSENT, node_at, repeats, scalar
from touchpoints.request import Refused
from touchpoints.selector import Reading
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.encoding import from_base64
from touchpoints.verifiers.hmac import key_of

LIST, ITEM = "notificationItems", "NotificationRequestItem"
SIGNATURE = ("additionalData", "hmacSignature")
SIGNED = (
    ("pspReference",),
    ("originalReference",),
    ("merchantAccountCode",),
    ("merchantReference",),
    ("amount", "value"),
    ("amount", "currency"),
    ("eventCode",),
    ("success",),
)
_FREE = ("merchantReference",)  # the only one a merchant chooses, so the only one that may hold a colon
_MOST_ITEMS = 1000
_SIZE = 32

Proof = tuple[bytes, bytes]  # the signature, and what was signed


def verify(reading: Reading, check: Check) -> Refused | None:
    """Why the sender isn't proved, or None when every item's signature fits one of the secrets."""
    keys = [key for secret in check.secrets if (key := key_of("hex", secret))]
    if not keys:
        return Refused(code="secret_unusable")
    items = node_at(reading.document(), (LIST,))
    if not isinstance(items, list) or not items:
        return Refused(code="signature_missing")
    proofs = _proofs(items)
    if isinstance(proofs, Refused):
        return proofs
    fits = all(any(hmac.compare_digest(digest(key, signed), given) for key in keys) for given, signed in proofs)
    if not fits:
        return Refused(code="signature_wrong")
    try:
        return Refused(code="signature_ambiguous") if repeats(reading.request.body) else None
    except ValueError:
        return Refused(code="signature_malformed")


def digest(key: bytes, signed: bytes) -> bytes:
    """The HMAC of an item's signed text."""
    return hmac.digest(key, signed, "sha256")


def _proofs(items: list[Any]) -> list[Proof] | Refused:
    if len(items) > _MOST_ITEMS:
        return Refused(code="signature_malformed")
    proofs = []
    for item in items:
        inner = node_at(item, (ITEM,))
        found = node_at(inner, SIGNATURE)
        if found is ABSENT:
            return Refused(code="signature_missing")
        given = from_base64(found.encode("utf-8", "replace")) if isinstance(found, str) else None
        signed = signed_text(inner)
        if given is None or len(given) != _SIZE or signed is None:
            return Refused(code="signature_malformed")
        proofs.append((given, signed))
    return proofs


def signed_text(item: Any) -> bytes | None:
    """What is signed of an item; None where a field is no text or number, or one that never holds a colon does.

    The fields are joined by colons and nothing is escaped: with a colon in two of them, two items would read the same.
    """
    texts = []
    for path in SIGNED:
        node = node_at(item, path)
        text = "" if node is ABSENT or node is None else scalar(node)
        if text is None or (":" in text and path != _FREE):
            return None
        texts.append(text)
    return ":".join(texts).encode("utf-8", "replace")
