"""Touchpoints that prove nobody."""

from dataclasses import replace

from tests.touchpoints.factory import make_request, make_touchpoint
from tests.touchpoints.proving import why
from touchpoints.touchpoint import Verification
from touchpoints.verification import needs_secret


def test_unsigned_only_where_allowed() -> None:
    """Anyone may post only where the configuration says so in so many words."""
    allowed = make_touchpoint("generic", verification=Verification(scheme="none", allow_unsigned=True))

    assert why(make_request(), allowed) == ""
    assert why(make_request(), replace(allowed, verification=Verification(scheme="none"))) == "unsigned_not_allowed"
    assert not needs_secret(allowed.verification)
