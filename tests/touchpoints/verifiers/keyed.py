"""What a verification by public keys comes to."""

from tests.touchpoints.factory import NOW
from touchpoints.moment import Micros
from touchpoints.published_key import NO_KEYS, KeyPlace, Keys, PublishedKeys
from touchpoints.request import Request, Wanting
from touchpoints.selector import Reading
from touchpoints.touchpoint import Touchpoint
from touchpoints.verification import verify


def outcome(request: Request, touchpoint: Touchpoint, keys: Keys = NO_KEYS, now: Micros = NOW) -> str | tuple[KeyPlace, ...]:
    """The code of refusal, "" when the sender is proved, or the places of the keys that are wanted."""
    found = verify(Reading(request), touchpoint, now, keys)
    if isinstance(found, Wanting):
        return found.keys
    return found.code if found else ""


def at_hand(*published: PublishedKeys) -> Keys:
    """Keys by their places."""
    return {one.place: one for one in published}
