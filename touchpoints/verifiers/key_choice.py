"""Which public keys a request may be signed by: the touchpoint's own secrets, or published ones at a pinned place."""

from collections.abc import Sequence
from functools import lru_cache

from touchpoints.public_key import FORMS, der_of
from touchpoints.published_key import KINDS, KeyPlace, host_of, pinned
from touchpoints.request import Refused, Wanting
from touchpoints.selector import Reading, selector
from touchpoints.template import Material, Template, template
from touchpoints.touchpoint import Verification
from touchpoints.verifiers.check import Check

MOST_KEYS = 16  # tried for one request

_PUBLISHED = "published:"
_CONST = "const:"
_LONGEST_ID = 256


def is_published(verification: Verification) -> bool:
    """Whether its keys are fetched; else they are the touchpoint's secrets."""
    return verification.key.startswith(_PUBLISHED)


def check_keys(verification: Verification) -> None:
    """Raise ValueError in words when the fields about keys do not fit each other."""
    if not is_published(verification):
        if verification.key not in FORMS:
            raise ValueError(f'the key "{verification.key[:40]}" is not one of {", ".join(FORMS)}, or published:KIND')
        return
    if verification.key.removeprefix(_PUBLISHED) not in {*KINDS} - {"ebay"}:
        raise ValueError(f'"{verification.key[:40]}" is no kind of published key')
    if not verification.key_url:
        raise ValueError("a published key needs key_url")
    fixed = _url(verification.key_url).holes == frozenset()
    if fixed and not pinned(_fixed(verification.key_url), _hosts(verification)):
        raise ValueError("key_url is no plain https address of one of key_hosts")
    if not fixed and not verification.key_hosts:
        raise ValueError("a key_url that the request names needs key_hosts")
    if verification.key_id:
        selector(verification.key_id)


def keys_for(reading: Reading, check: Check, key_id: str | None = None) -> Sequence[bytes] | Refused | Wanting:
    """The keys, as DER, that may have signed; there is at least one.

    `key_id` is the one that a token names; None: the verification says where it stands, if anywhere.
    """
    verification = check.verification
    if not is_published(verification):
        ders = [der_of(verification.key, secret) for secret in check.secrets]
        return [der for der in ders if der is not None][:MOST_KEYS] or Refused(code="secret_unusable")
    if key_id is None and verification.key_id:
        values = selector(verification.key_id).values(reading)
        if len(values) != 1 or len(values[0]) > _LONGEST_ID:
            return Refused(code="signature_ambiguous" if len(values) > 1 else "signature_missing")
        key_id = values[0].decode("utf-8", "replace")
    place = _place(reading, verification)
    return place if isinstance(place, Refused) else published(check, place, key_id or None)


def published(check: Check, place: KeyPlace, key_id: str | None = None) -> Sequence[bytes] | Refused | Wanting:
    """The key of that id at a place, or without an id all that stand there.

    An id that is not among those at hand may be new: what stands there is wanted once more.
    """
    found = check.keys.get(place)
    if found is None:
        return Wanting(keys=(place,))
    if (found.not_before or 0) > check.now or (found.not_after is not None and found.not_after < check.now):
        return Refused(code="certificate_expired")
    if key_id is None:
        return [*found.keys.values()][:MOST_KEYS]
    der = found.keys.get(key_id)
    return Wanting(keys=(place,)) if der is None else [der]


def _place(reading: Reading, verification: Verification) -> KeyPlace | Refused:
    pieces = _url(verification.key_url).pieces(Material(reading))
    if pieces is None:
        return Refused(code="signature_missing")
    url = b"".join(pieces).decode("utf-8", "replace")
    if not pinned(url, _hosts(verification)):
        return Refused(code="key_untrusted")
    return KeyPlace(kind=verification.key.removeprefix(_PUBLISHED), url=url)


def _hosts(verification: Verification) -> Sequence[str]:
    """The pinned hosts; an address that is fixed pins its own."""
    return verification.key_hosts or (host_of(_fixed(verification.key_url)) or "",)


def _fixed(key_url: str) -> str:
    return key_url.removeprefix(_CONST)


@lru_cache(maxsize=256)
def _url(key_url: str) -> Template:
    """`const:URL` and `https://…` with holes are templates; anything else is a selector whose value is the address."""
    return template(_fixed(key_url) if key_url.startswith((_CONST, "https:")) else f"{{{key_url}}}")
