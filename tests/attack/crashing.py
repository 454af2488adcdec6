"""Hookport whose deliveries to a destination called `crashes` fail by an error that nobody foresaw and that tells too much:
`python -m tests.attack.crashing …`."""

from appliance.command import main
from touchpoints.attempt import Outcome
from touchpoints.delivery import Job
from touchpoints.destinations.http import HttpSender
from touchpoints.touchpoint import HttpDestination

_attempt = HttpSender.attempt


async def _crashing(self: HttpSender, job: Job, *, touchpoint: str) -> Outcome:
    told: HttpDestination = self._destination
    if told.name == "crashes":
        raise RuntimeError(f"{told.url} {told.headers} {told.query} {told.auth and told.auth.secret} {told.sign} {told.proxy}")
    return await _attempt(self, job, touchpoint=touchpoint)


if __name__ == "__main__":
    HttpSender.attempt = _crashing  # type: ignore[method-assign]  # so that it crashes
    main()
