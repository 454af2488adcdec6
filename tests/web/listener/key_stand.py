"""A source of published keys that a test fills."""

from collections.abc import Sequence

from tests.touchpoints.factory import NOW, make_touchpoint
from tests.touchpoints.keys import ec_key, published
from touchpoints.moment import DAY
from touchpoints.published_key import KeyPlace, Keys, PublishedKeys
from touchpoints.touchpoint import Touchpoint, Verification

URL = "https://keys.example.com/jwks"
PLACE = KeyPlace(kind="jwks", url=URL)
RIGHT = published(PLACE, NOW + 36500 * DAY, one=ec_key())  # fetched after any request came


def keyed(number: int = 1, **fields: object) -> Touchpoint:
    """A touchpoint whose sender publishes its keys."""
    verification = Verification(
        scheme="asymmetric",
        algorithm="ecdsa-sha256",
        signature="header:x-sig",
        encoding="base64",
        key="published:jwks",
        key_url=f"const:{URL}",
        key_id="header:x-key",
    )
    return make_touchpoint("generic", **{"id": number, "verification": verification, **fields})


class KeyStand:
    """What is at hand, and what is to be had; `asked` is what was asked for, `patience` for how long each time."""

    def __init__(self, *to_be_had: PublishedKeys) -> None:
        self.at_hand: Keys = {}
        self.to_be_had = {one.place: one for one in to_be_had}
        self.asked: list[KeyPlace] = []
        self.sizes: list[int] = []
        self.patience: list[float] = []
        self.senders: list[str] = []

    async def fetch(self, places: Sequence[KeyPlace], *, sender: str, size: int, seconds: float) -> Keys:
        self.asked.extend(places)
        self.sizes.append(size)
        self.senders.append(sender)
        self.patience.append(seconds)
        return {place: self.to_be_had[place] for place in places if place in self.to_be_had}
