"""Keys that senders publish: where they stand, and what was read there. Fetching is done elsewhere; deciding stays pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlace:
    """Where published keys stand. Only a place whose host the provider's file pins is ever asked for."""

    kind: str  # how what stands there is read: x509 | pem | jwks | openid | ebay
    url: str  # https
    credential: str = field(default="", repr=False)  # ebay: client id and secret, `ID:SECRET`


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKeys:
    """What was read at a place: public keys as DER SubjectPublicKeyInfo, by key id ("" where there is one without a name)."""

    place: KeyPlace
    keys: Mapping[str, bytes]
    fetched_at: Micros
    not_after: Micros | None = None  # x509: the certificate's end


Keys = Mapping[KeyPlace, PublishedKeys]  # what is at hand; a place that is not in it is wanted

NO_KEYS: Keys = MappingProxyType({})
