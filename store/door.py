"""The door: who is signed in, who failed to sign in, and whether somebody asked for a link to set a password anew."""

from dataclasses import dataclass
from typing import Protocol

from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros

IDLE: Micros = 12 * HOUR  # a session that nobody used for so long has ended
LONGEST: Micros = 7 * DAY  # and so has one that began so long ago

FREE_TRIES = 5
_FIRST_WAIT: Micros = 30 * SECOND
_LONGEST_WAIT: Micros = 15 * MINUTE


def wait_after(tries: int) -> Micros:
    """How long nobody may try again after so many failures in a row: nothing, then 30 s, doubling up to 15 minutes."""
    if tries < FREE_TRIES:
        return 0
    return min(_LONGEST_WAIT, _FIRST_WAIT << min(tries - FREE_TRIES, 10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person who is signed in."""

    person: str
    created_at: Micros
    used_at: Micros


class Door(Protocol):
    """What signing in must remember, over restarts too."""

    async def open_session(self, digest: bytes, person: str, *, now: Micros) -> None:
        """Keep a session by the SHA-256 of its value; sessions that have ended are forgotten on the way."""

    async def session(self, digest: bytes, *, now: Micros, note: bool = True) -> Session | None:
        """The living session of this digest; with `note`, its use is noted (at most once a minute)."""

    async def close_session(self, digest: bytes) -> None:
        """Sign out. Harmless when there is none."""

    async def try_by(self, *subjects: str, now: Micros) -> Micros:
        """Count a try for each subject (an account, an address), as failed until `forgive`; 0 when it may be made.

        Otherwise how long to wait, and nothing is counted. Counting first keeps tries at the same moment from passing together.
        """

    async def forgive(self, *subjects: str) -> None:
        """The try was right: forget the failures."""

    async def ask_for_link(self) -> None:
        """Let the next start print a link to set a password with."""

    async def take_wish(self) -> bool:
        """Whether somebody asked for a link; asked once, answered once."""
