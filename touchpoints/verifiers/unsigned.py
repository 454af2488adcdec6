"""No proof at all: only where the configuration says in so many words that anyone may post."""

from touchpoints.request import Refused
from touchpoints.selector import Reading
from touchpoints.verifiers.check import Check


def verify(_reading: Reading, check: Check) -> Refused | None:
    """None when `allow_unsigned` is set."""
    return None if check.verification.allow_unsigned else Refused(code="unsigned_not_allowed")
