"""What the operator's handlers need: the control, and what every page has."""

from dataclasses import dataclass

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from web.api.front_desk import CallerRequest, FrontDesk
from web.operator.control import OperatorControl

__all__ = ["AtOperatorDesk", "CallerRequest", "OperatorDesk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorDesk(FrontDesk):
    """Everything the handlers of a hosted proxy reach for."""

    control: OperatorControl
    first_step: str = "/begin/server"
    tabs: tuple[str, ...] = ("server", "backup", "people", "audit", "about")


AtOperatorDesk = SkipValidation[NamedDependency[OperatorDesk]]
