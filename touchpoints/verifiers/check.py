"""What a verifier checks a request by."""

from dataclasses import dataclass, field

from touchpoints.moment import Micros
from touchpoints.published_key import NO_KEYS, Keys
from touchpoints.touchpoint import Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One verification with the secrets it takes, of which there is at least one where its scheme needs any."""

    verification: Verification
    secrets: tuple[str, ...] = field(repr=False)
    now: Micros
    keys: Keys = field(default_factory=lambda: NO_KEYS, repr=False)
