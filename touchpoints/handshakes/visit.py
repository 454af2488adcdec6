"""Confirmations by a visit: a verified message names a URL of a pinned host, and fetching it is the answer.

Event Grid's `validationUrl` is not among them: nothing proves who sent it, so it is never fetched.
"""

from touchpoints.handshakes.kind import MALFORMED, ClosedKind
from touchpoints.request import Answer
from touchpoints.selector import Reading
from touchpoints.touchpoint import Touchpoint
from touchpoints.verifiers import sns


def _methods(argument: str) -> tuple[str, ...]:
    if argument != "sns":
        raise ValueError("fetch_url knows the sender sns alone")
    return ("POST",)


def _is_confirmation(reading: Reading, _argument: str) -> bool:
    return sns.confirmation(reading) is not None


def _sns(reading: Reading, _touchpoint: Touchpoint, _argument: str) -> Answer:
    """Amazon SNS's SubscriptionConfirmation, whose `SubscribeURL` is visited once."""
    return Answer(visit=url) if (url := sns.confirmation(reading)) else MALFORMED


FETCH_URL = ClosedKind(methods=_methods, is_one=_is_confirmation, answer=_sns, proof="always", asks=False)
