"""What stands in for a destination that cannot be opened, so that the others run and its deliveries wait."""

from touchpoints.attempt import Blame, Failed, Outcome
from touchpoints.delivery import Job
from touchpoints.destinations.sender import Parcel
from touchpoints.problem import problem


class UnusableSender:
    """A destination whose settings lead nowhere until a person mends them. `reason` holds no secret."""

    def __init__(self, reason: str) -> None:
        self._words = problem("destination_unusable", detail=reason)

    async def attempt(self, job: Job, *, touchpoint: str) -> Outcome:  # noqa: ARG002 - the interface's names
        """Fails, which is the destination's fault and uses no try."""
        return Failed(blame=Blame.DESTINATION, code=self._words.code, error=self._words.text)

    def preview(self, job: Job, *, touchpoint: str) -> Parcel:  # noqa: ARG002 - the interface's names
        """Nothing would be sent."""
        return Parcel(target=self._words.text, method="", headers=(), body=job.body)

    async def aclose(self) -> None:
        """Nothing is open."""
