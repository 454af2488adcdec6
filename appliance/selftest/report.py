"""What a self-test found: one line for each check."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from touchpoints.problem import ProblemError


class CheckError(Exception):
    """A check failed, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check and what came of it; `why` is empty when it passed."""

    name: str
    why: str
    seconds: float


@dataclass(slots=True)
class Report:
    """All checks in their order. After one that everything else needs, the rest is left out."""

    checks: list[Check] = field(default_factory=list)
    told: Callable[[Check], None] = lambda _check: None

    @property
    def ok(self) -> bool:
        """Whether there were checks, and all passed."""
        return bool(self.checks) and not any(check.why for check in self.checks)

    def check(self, name: str, deed: Callable[[], object]) -> bool:
        """Do it, and note what came of it; whether it passed. Whatever it raises is a finding, never an end."""
        start, why = time.monotonic(), ""
        try:
            deed()
        except (CheckError, ProblemError) as error:
            why = str(error)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
        self.checks.append(Check(name=name, why=why, seconds=time.monotonic() - start))
        self.told(self.checks[-1])
        return not why

    def as_json(self) -> dict[str, Any]:
        """`{ok, checks: [{name, ok, why, seconds}]}`."""
        checks = [{"name": c.name, "ok": not c.why, "why": c.why, "seconds": round(c.seconds, 3)} for c in self.checks]
        return {"ok": self.ok, "checks": checks}


def must(true: object, words: str) -> None:
    """Raises CheckError with the words unless it is true."""
    if not true:
        raise CheckError(words)
