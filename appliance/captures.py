"""Captures: secrets that senders set themselves, until a person has seen when each came and from where."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from appliance.needs import Need
from store.captured import Captured
from store.configuration import ConfigurationStore
from store.settings import Configuration
from touchpoints import handshake
from touchpoints.moment import told_moment
from touchpoints.problem import problem
from touchpoints.touchpoint import Touchpoint

Json = dict[str, Any]


class Captures:
    """What is known of them; read anew after each change of the configuration."""

    def __init__(self, store: ConfigurationStore, configuration: Callable[[], Configuration]) -> None:
        self._store = store
        self._configuration = configuration
        self._known: Sequence[Captured] = ()

    async def recall(self) -> None:
        """Read what is stored. Raises ProblemError where the configuration cannot be used."""
        self._known = await self._store.captured()

    def needs(self) -> Iterable[Need]:
        """Each is told until a person dismisses it: a stranger may have been first."""
        for touchpoint, one in self._living():
            words = problem("secret_captured", touchpoint=touchpoint.name, remote=one.remote, when=told_moment(one.at))
            yield Need(problem=words, touchpoint=touchpoint.name)

    def shown(self) -> list[Json]:
        """See web.control.Control.captured."""
        return [
            {
                "touchpoint": touchpoint.name,
                "at": one.at,
                "remote": one.remote,
                "fingerprint": one.fingerprint,
                "value": _shown(touchpoint),
            }
            for touchpoint, one in self._living()
        ]

    def _living(self) -> Iterable[tuple[Touchpoint, Captured]]:
        known = {one.id: one for one in self._configuration().touchpoints}
        return [(known[one.touchpoint], one) for one in self._known if one.touchpoint in known]


def _shown(touchpoint: Touchpoint) -> str:
    """The secret, where a person has to enter it at the sender: never one that a person added, beside which it may stand."""
    alone = len(touchpoint.secrets) == 1 and handshake.shows_secret(touchpoint.handshake)
    return touchpoint.secrets[0] if alone else ""
