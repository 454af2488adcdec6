"""Times on the page: in the machine's own zone, which is named; lists tell how long ago."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from appliance.clock import Clock
from tests.web.api.stand_in import NOW, StandIn, event
from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros, from_datetime
from web.page.times import Times

pytestmark = pytest.mark.anyio

OSLO = timezone(timedelta(hours=1), "CET")
TEHERAN = timezone(timedelta(hours=3, minutes=30), "+0330")
LISBON = timezone(timedelta(hours=-1), "W. Europe Daylight Time")


def times(zone: timezone = OSLO, *, steady: bool = False) -> Times:
    def local(moment: Micros) -> datetime:
        return datetime.fromtimestamp(moment // SECOND, UTC).astimezone(zone)

    return Times(now=NOW, local=local, steady=steady)


def test_moments_are_told_in_the_machines_zone() -> None:
    """With the day where it is not today's there, and with the zone's name in full."""
    assert times().clock(NOW) == "09:00:00"
    assert times().when(NOW - 9 * HOUR - MINUTE) == "14 Jan 23:59"
    assert times().when(NOW - 8 * HOUR) == "01:00:00"
    assert times().in_full(NOW) == "15 Jan 2027, 09:00:00 CET"
    assert Times(now=NOW).in_full(NOW) == "15 Jan 2027, 08:00:00 UTC"


@pytest.mark.parametrize(
    ("zone", "named", "in_full"),
    [
        (OSLO, "CET (UTC+01:00)", "CET"),
        (TEHERAN, "UTC+03:30", "UTC+03:30"),
        (LISBON, "W. Europe Daylight Time (UTC-01:00)", "UTC-01:00"),
        (timezone(timedelta(0), "UTC"), "UTC", "UTC"),
        (timezone(timedelta(0), "GMT"), "GMT (UTC)", "GMT"),
    ],
)
def test_a_zone_is_named_whatever_the_system_calls_it(zone: timezone, named: str, in_full: str) -> None:
    """Windows has sentences for names, some zones have none."""
    assert times(zone).zone == named
    assert times(zone).in_full(NOW).endswith(f":00 {in_full}")


def test_lists_tell_how_long_ago() -> None:
    """In seconds, minutes and hours; beyond a day the day says more."""
    told = {0: "just now", 4_900_000: "4 s ago", 3 * MINUTE: "3 min ago", 5 * HOUR: "5 h ago", 2 * DAY: "13 Jan 09:00"}
    assert {ago: times().ago(NOW - ago) for ago in told} == told
    assert times().ago(NOW + MINUTE) == "just now"


def test_what_the_stream_sends_changes_only_with_what_it_tells_of() -> None:
    """Else every rendering would differ from the one before, and every page would get all of it each second."""
    assert times(steady=True).ago(NOW - MINUTE) == "08:59:00"


def test_the_offset_is_the_moments_own() -> None:
    """The chart's axis needs it in minutes."""
    assert (times().east(NOW), times(TEHERAN).east(NOW), Times(now=NOW).east(NOW)) == (60, 210, 0)


def test_the_clock_knows_the_machines_zone() -> None:
    """Whatever it is, the moment stays the same."""
    assert from_datetime(Clock().local(NOW)) == NOW


async def test_every_time_carries_its_whole_moment(tmp_path: Path) -> None:
    """For programs in `datetime`, for people on hover; the zone is named on every screen."""
    stand_in = StandIn(spool=tmp_path)
    stand_in.log.keep(event(1), b"{}")
    async with stand_in.signed_in() as client:
        page = (await client.get("/events")).text
    told = '<time datetime="2027-01-15T07:59:00.000001Z" title="15 Jan 2027, 07:59:00 UTC" data-as="ago">59 s ago</time>'
    assert told in page
    assert "Times are those of this machine: UTC" in page
