"""The alerts as a whole: two channels with their memory, under a clock that jumps when told; and the test button."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from appliance.alerts.alerts import MOST_TESTS, Alerts
from appliance.alerts.channel import LONGEST_WAIT
from appliance.alerts.standing import Outlook
from appliance.ids import new_id
from appliance.needs import Need
from appliance.tasks import Tasks
from store.alerts import Standing
from store.inbox import StoreUnavailable
from store.settings import AlertSettings, Configuration
from store.sqlite.alerts import SqliteAlertMemory
from store.sqlite.database import CONFIGURATION_APPLICATION, AiosqliteDatabase, Opener
from store.sqlite.migrate import migrate
from tests.appliance.alerts.mail_server import MailServer
from tests.appliance.alerts.make import mail_settings
from tests.appliance.stage import FakeClock
from tests.whole.destination import Destination
from touchpoints.moment import DAY, MINUTE, SECOND, Micros
from touchpoints.problem import ProblemError, problem

pytestmark = pytest.mark.anyio

HUSH = "hush-mail-password"
GIVEN_UP = Need(
    problem=problem("given_up", destination="erp", touchpoint="orders", count=1), touchpoint="orders", destination="erp"
)
DISK_LOW = Need(problem=problem("disk_low", free="1 MB", floor="2 MB"))


class SteadyClock(FakeClock):
    """A clock whose monotonic time goes along."""

    passed: Micros = 0

    def steady(self) -> Micros:
        return self.passed

    def forward(self, span: Micros) -> None:
        super().forward(span)
        self.passed += span


@dataclass
class Scene:
    """Alerts over a database of their own."""

    alerts: Alerts
    clock: SteadyClock
    tasks: Tasks
    settings: AlertSettings
    needs: list[Need] = field(default_factory=list)

    async def look(self, span: Micros = 2 * SECOND) -> None:
        """Let time go by, look, and let what is sent arrive."""
        self.clock.forward(span)
        await self.alerts.look()
        if sending := list(self.tasks._running):
            await asyncio.wait(sending)


@asynccontextmanager
async def scene(folder: Path, settings: AlertSettings) -> AsyncIterator[Scene]:
    path, clock, tasks = folder / "configuration.db", SteadyClock(), Tasks()
    opener = Opener(path=path, application_id=CONFIGURATION_APPLICATION, writer=True)
    database = await AiosqliteDatabase.open(opener)
    await database.run(lambda db: migrate(db, "configuration", path=path, now=clock.now()))

    async def outlook() -> Outlook:
        return Outlook(needs=[*made.needs, *made.alerts.needs()])

    alerts = Alerts(
        memory=SqliteAlertMemory(database),
        configuration=lambda: Configuration(alerts=made.settings),
        outlook=outlook,
        page=lambda: "http://127.0.0.1:8421",
        environment={},
        clock=clock,
        new_id=new_id,
        tasks=tasks,
    )
    made = Scene(alerts=alerts, clock=clock, tasks=tasks, settings=settings)
    try:
        yield made
    finally:
        await tasks.end()
        await database.close()


@pytest.fixture
def mail(free_port: Callable[[], int]) -> Iterator[MailServer]:
    server = MailServer(port=free_port()).start()
    yield server
    server.stop()


@pytest.fixture
def chat(free_port: Callable[[], int]) -> Iterator[Destination]:
    made = Destination(port=free_port()).start()
    yield made
    made.stop()


def both(mail: MailServer, chat: Destination, **changes: Any) -> AlertSettings:
    return mail_settings(mail.port, webhook_url=chat.url, group=10 * SECOND, **changes)


async def test_news_and_the_all_clear_go_every_way(tmp_path: Path, mail: MailServer, chat: Destination) -> None:
    """One message each, by e-mail and by webhook; what was told is shown."""
    async with scene(tmp_path, both(mail, chat)) as here:
        here.needs = [GIVEN_UP]
        await here.look()
        assert mail.letters == []
        here.needs = [GIVEN_UP, DISK_LOW]
        await here.look(10 * SECOND)
        assert (len(mail.letters), len(chat.got)) == (1, 1)
        assert "2 things need you" in str(mail.letters[0].mail["Subject"])
        here.needs = [DISK_LOW]
        await here.look()
        await here.look(10 * SECOND)
        assert (len(mail.letters), len(chat.got)) == (2, 2)
        assert "all clear" in str(mail.letters[1].mail["Subject"])
        shown = here.alerts.shown()
        assert [one["error"] for one in shown["channels"]] == [None, None]
        told = {(one["channel"], one["code"], one["cleared_at"] is None) for one in shown["told"]}
        assert told == {(way, *what) for way in ("email", "webhook") for what in (("given_up", False), ("disk_low", True))}


async def test_a_restart_repeats_nothing_and_forgets_nothing(tmp_path: Path, mail: MailServer, chat: Destination) -> None:
    """What was told before it is not told again; what ended meanwhile gets its all-clear."""
    async with scene(tmp_path, both(mail, chat)) as here:
        here.needs = [GIVEN_UP, DISK_LOW]
        await here.look()
        await here.look(10 * SECOND)
        later = here.clock.wall
    async with scene(tmp_path, both(mail, chat)) as here:
        here.clock.wall = later
        here.needs = [DISK_LOW]
        for _ in range(5):
            await here.look(4 * SECOND)
        assert (len(mail.letters), len(chat.got)) == (2, 2)
        assert "all clear" in str(mail.letters[1].mail["Subject"])
        await here.look(DAY)
        assert "disk" in mail.letters[2].text


async def test_a_dead_mail_server_is_seen_told_the_other_way_and_tried_less_and_less(
    tmp_path: Path, mail: MailServer, chat: Destination
) -> None:
    """Once it is back, it gets what stands then, in one message."""
    mail.stop()
    async with scene(tmp_path, both(mail, chat)) as here:
        here.needs = [GIVEN_UP]
        await here.look()
        await here.look(10 * SECOND)
        assert [need.problem.code for need in here.alerts.needs()] == ["alert_email_failed"]
        assert "No connection" in next(iter(here.alerts.needs())).problem.text
        for _ in range(20):
            await here.look(MINUTE)
        assert "Alerts by e-mail cannot be sent" in chat.got[-1].body.decode()
        assert here.alerts._channels["email"]._failures < 10
        here.needs = [DISK_LOW]
        await here.look(20 * SECOND)
        mail.start()
        await here.look(LONGEST_WAIT)
        await here.look(LONGEST_WAIT)
        (letter,) = mail.letters
        assert "disk" in letter.text
        assert "given up" not in letter.text
        assert "by e-mail cannot" not in letter.text
        assert list(here.alerts.needs()) == []
        await here.look(20 * SECOND)
        await here.look(MINUTE)
        assert '"mended":[{"code":"alert_email_failed"' in chat.got[-1].body.decode()


async def test_a_message_under_way_holds_up_nothing(tmp_path: Path, mail: MailServer) -> None:
    """A server that hangs: looks go on, and no second message joins the first."""
    connections = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    settings = mail_settings(server.sockets[0].getsockname()[1], group=0)
    async with scene(tmp_path, settings) as here:
        here.needs = [GIVEN_UP]
        for _ in range(5):
            here.clock.forward(MINUTE)
            await asyncio.wait_for(here.alerts.look(), 5)
        assert len(here.tasks._running) == 1
        while not connections:
            await asyncio.sleep(0.01)
    assert len(connections) == 1
    server.close()


async def test_what_a_server_says_of_a_secret_is_blotted_out(tmp_path: Path, chat: Destination) -> None:
    """Not in a need, not in a test's outcome, whatever comes back."""
    settings = AlertSettings(webhook_url=f"http://127.0.0.1:{chat.port}/{HUSH}", group=0)
    async with scene(tmp_path, settings) as here:

        async def echoes(*_: object) -> str:
            return f"it said /{HUSH} and http://127.0.0.1:{chat.port}/{HUSH}"

        here.alerts._senders["webhook"] = echoes
        assert HUSH not in str(await here.alerts.test(settings))
        here.needs = [replace(GIVEN_UP, problem=problem("listener_down", error=f"at {HUSH}"))]
        await here.look()
        await here.look()
        assert HUSH not in chat.got[-1].body.decode()


async def test_the_test_button(tmp_path: Path, mail: MailServer, chat: Destination) -> None:
    """It goes by what is given, tells each outcome, proves a channel that failed, and cannot be leant on."""
    mail.answer = "451 later"
    async with scene(tmp_path, both(mail, chat)) as here:
        here.needs = [GIVEN_UP]
        await here.look()
        await here.look(20 * SECOND)
        assert len(list(here.alerts.needs())) == 1
        mail.answer = "250 taken"
        tested = await here.alerts.test(here.settings)
        assert tested["channels"] == [
            {"channel": "email", "sent": True, "error": None},
            {"channel": "webhook", "sent": True, "error": None},
        ]
        assert "This is a test." in mail.letters[0].text
        assert list(here.alerts.needs()) == []
        with pytest.raises(ProblemError) as caught:
            await here.alerts.test(here.settings)
        assert caught.value.problems[0].code == "alerts_test_too_soon"
        here.clock.forward(10 * SECOND)
        chat.stop()
        other = await here.alerts.test(replace(here.settings, smtp_host=""))
        assert [(one["channel"], one["sent"]) for one in other["channels"]] == [("webhook", False)]
        with pytest.raises(ProblemError) as caught:
            await here.alerts.test(AlertSettings())
        assert caught.value.problems[0].code == "alerts_nowhere"


async def test_tests_are_limited(tmp_path: Path, mail: MailServer) -> None:
    """Ten in ten minutes."""
    async with scene(tmp_path, mail_settings(mail.port)) as here:
        for _ in range(MOST_TESTS):
            await here.alerts.test(here.settings)
            here.clock.forward(6 * SECOND)
        with pytest.raises(ProblemError):
            await here.alerts.test(here.settings)
        here.clock.forward(10 * MINUTE)
        await here.alerts.test(here.settings)
    assert len(mail.letters) == MOST_TESTS + 1


async def test_a_way_that_is_taken_away_is_forgotten(tmp_path: Path, mail: MailServer, chat: Destination) -> None:
    """Set up again, it begins with what stands then, and clears nothing of old."""
    async with scene(tmp_path, both(mail, chat)) as here:
        here.needs = [GIVEN_UP]
        await here.look()
        await here.look(10 * SECOND)
        whole, here.settings = here.settings, replace(here.settings, smtp_host="")
        await here.look(MINUTE)
        here.needs, here.settings = [], whole
        await here.look(MINUTE)
        await here.look(MINUTE)
        assert (len(mail.letters), len(chat.got)) == (1, 2)


async def test_settings_that_changed_are_tried_at_once(tmp_path: Path, mail: MailServer) -> None:
    """Whoever mends them does not wait for the next try."""
    async with scene(tmp_path, mail_settings(1, group=0)) as here:
        here.needs = [GIVEN_UP]
        for _ in range(8):
            await here.look(LONGEST_WAIT)
        here.settings = mail_settings(mail.port, group=0)
        await here.look()
        assert len(mail.letters) == 1


async def test_nobody_to_tell_costs_nothing(tmp_path: Path) -> None:
    """Without a channel nothing is asked."""
    async with scene(tmp_path, AlertSettings()) as here:
        asked = []

        async def outlook() -> Outlook:
            asked.append(1)
            return Outlook(needs=[])

        here.alerts._outlook = outlook
        await here.look()
        assert asked == []


async def test_a_disk_that_is_full_stops_no_alert(tmp_path: Path, mail: MailServer) -> None:
    """What was told is known until the process ends."""
    async with scene(tmp_path, mail_settings(mail.port, group=0)) as here:

        async def full(channel: str, standing: Sequence[Standing]) -> None:
            raise StoreUnavailable("disk_full")

        here.alerts._channels["email"]._memory.keep = full  # type: ignore[method-assign]
        here.needs = [DISK_LOW]
        for _ in range(3):
            await here.look(MINUTE)
        assert len(mail.letters) == 1


async def test_a_memory_that_cannot_be_read_is_asked_again(tmp_path: Path, mail: MailServer) -> None:
    """Nothing is told twice because of it."""
    async with scene(tmp_path, mail_settings(mail.port, group=0)) as here:
        memory = here.alerts._channels["email"]._memory
        read, answers = memory.recall, [StoreUnavailable("store_failed")]

        async def recall(channel: str) -> Any:
            if answers:
                raise answers.pop()
            return await read(channel)

        memory.recall = recall  # type: ignore[method-assign]
        here.needs = [DISK_LOW]
        await here.look()
        assert mail.letters == []
        await here.look()
        assert len(mail.letters) == 1


async def test_a_mistake_of_our_own_is_not_tried_every_two_seconds(tmp_path: Path) -> None:
    """It counts as a failure that lasts."""
    calls = []

    async def broken(*_: object) -> str:
        calls.append(1)
        raise LookupError

    async with scene(tmp_path, AlertSettings(webhook_url="http://127.0.0.1:1/", group=0)) as here:
        here.alerts._channels["webhook"]._send = broken
        here.needs = [DISK_LOW]
        for _ in range(10):
            await here.look()
        assert len(calls) == 1
        assert "LookupError" in next(iter(here.alerts.needs())).problem.text


def test_a_memory_row_is_a_standing() -> None:
    """What is kept has a key of its own."""
    one = Standing(code="disk_low", text="t", mend="m", since=1)
    assert one.key == ("disk_low", "", "")
