"""No proof at all: only where the configuration says in so many words that anyone may post."""

from touchpoints.moment import Micros
from touchpoints.request import Refused
from touchpoints.selector import Reading
from touchpoints.touchpoint import Touchpoint


def verify(_reading: Reading, touchpoint: Touchpoint, _now: Micros) -> Refused | None:
    """None when `allow_unsigned` is set."""
    return None if touchpoint.verification.allow_unsigned else Refused(code="unsigned_not_allowed")
