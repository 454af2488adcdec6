"""What the API needs to answer: the process, the log, the people, and this start's token."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from store.log import Log
from store.statistics import Statistics
from web.api.front_desk import CallerRequest, FrontDesk
from web.control import Control
from web.export.names import Names, names_of
from web.membership import Membership, Standing

__all__ = ["AtDesk", "CallerRequest", "Desk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk(FrontDesk):
    """Everything the handlers of the agent reach for."""

    control: Control
    membership: Membership
    log: Callable[[], Log]  # the log as it is now; raises StoreUnavailable while the events file cannot be used
    spool: Path  # a folder for workbooks on the way
    statistics: Callable[[], Statistics]  # raises StoreUnavailable, as `log`

    @property
    def standing(self) -> Standing:
        """How this agent stands at a hosted proxy."""
        return self.membership.standing()

    @property
    def mode(self) -> str | None:
        """How webhooks arrive, as configured."""
        return self.control.configuration().agent.mode

    @property
    def names(self) -> Names:
        """What touchpoints and destinations are called now."""
        return names_of(self.control.configuration())


AtDesk = SkipValidation[NamedDependency[Desk]]
