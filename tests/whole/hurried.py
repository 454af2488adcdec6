"""Hookport whose chores come round twenty times as often, for tests that wait for one: `python -m tests.whole.hurried …`."""

from collections.abc import Awaitable, Callable

from appliance.command import main
from appliance.schedule import Schedule

TIMES = 20
_every = Schedule.every


def hurried(self: Schedule, seconds: float, chore: Callable[[], Awaitable[None]], *, name: str) -> None:
    """Run a chore that much more often."""
    _every(self, seconds / TIMES, chore, name=name)


if __name__ == "__main__":
    Schedule.every = hurried  # type: ignore[method-assign]  # so that it hurries
    main()
