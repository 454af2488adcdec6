"""The sender: carries a job to one destination."""

from dataclasses import dataclass
from typing import Protocol

from touchpoints.attempt import Outcome
from touchpoints.delivery import Job
from touchpoints.event import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What would be sent, for a test or a preview; secrets are redacted by `HttpSender.preview`."""

    target: str  # URL or file
    method: str
    headers: Headers
    body: bytes


class Sender(Protocol):
    """One destination, opened."""

    async def attempt(self, job: Job, *, touchpoint: str) -> Outcome:
        """Try once. Never raises for anything the destination, the network or the disk does; CancelledError passes through.

        `job.delivery.attempts + 1` is this attempt's number. `touchpoint` is the touchpoint's name.
        """

    def preview(self, job: Job, *, touchpoint: str) -> Parcel:
        """What `attempt` would send, secrets redacted."""

    async def aclose(self) -> None:
        """Give back connections; attempts under way have ended before."""
