"""What is told when: news gathered, reminders, all-clears, things that come and go, and moments of not knowing."""

from dataclasses import replace

from appliance.alerts.standing import Due, Known, Outlook, after, due, observe
from appliance.needs import Need
from store.settings import AlertSettings
from tests.store.make import NOW
from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros
from touchpoints.problem import problem

SETTINGS = AlertSettings(group=MINUTE, repeat=DAY)


def need(destination: str = "erp", *, count: int = 1) -> Need:
    words = problem("given_up", destination=destination, touchpoint="orders", count=count)
    return Need(problem=words, count=count, touchpoint="orders", destination=destination)


class Person:
    """Looks every ten seconds, and keeps what was told."""

    def __init__(self, settings: AlertSettings = SETTINGS) -> None:
        self.settings = settings
        self.now = NOW
        self.known: Known = {}
        self.heard: list[tuple[Micros, Due]] = []

    def live(self, span: Micros, *needs: Need, outlook: Outlook | None = None) -> "Person":
        end = self.now + span
        while self.now < end:
            self.now += 10 * SECOND
            seen = outlook or Outlook(needs=needs)
            kinds = self.settings.kinds
            self.known = observe(self.known, seen, kinds=kinds, group=self.settings.group, now=self.now)
            if said := due(self.known, self.settings, now=self.now):
                self.heard.append((self.now - NOW, said))
                self.known = after(self.known, said, now=self.now)
        return self

    @property
    def told(self) -> list[tuple[int, int, int]]:
        """How many news, reminders and all-clears each message held."""
        return [(len(said.news), len(said.again), len(said.mended)) for _, said in self.heard]


def test_what_happens_within_a_minute_goes_in_one_message() -> None:
    """The first waits a minute, and takes the others along."""
    person = Person().live(30 * SECOND, need("a")).live(40 * SECOND, need("a"), need("b"), need("c"))
    assert person.told == [(3, 0, 0)]
    assert person.heard[0][0] == 70 * SECOND


def test_what_stands_is_told_again_once_a_day_all_together() -> None:
    """Two needs, told at other hours, remind in one message."""
    person = Person().live(HOUR, need("a")).live(2 * DAY, need("a"), need("b"))
    assert person.told == [(1, 0, 0), (1, 0, 0), (0, 2, 0), (0, 2, 0)]
    assert Person(replace(SETTINGS, repeat=None)).live(3 * DAY, need("a")).told == [(1, 0, 0)]


def test_the_all_clear_comes_once_it_stays_away() -> None:
    """A minute of being gone, then one all-clear, and silence."""
    person = Person().live(5 * MINUTE, need()).live(2 * DAY)
    assert person.told == [(1, 0, 0), (0, 0, 1)]
    mended = person.heard[1][1].mended[0]
    assert mended.gone_at is not None
    assert mended.gone_at - NOW == 5 * MINUTE + 10 * SECOND
    assert person.known == {}


def test_what_was_gone_before_it_was_told_is_never_told() -> None:
    """Nobody is called for what mended itself within a minute."""
    assert Person().live(40 * SECOND, need()).live(DAY).told == []


def test_what_comes_and_goes_is_told_all_the_same() -> None:
    """Twenty seconds here and twenty there: one alert, and no all-clear while it lasts."""
    person = Person()
    for _ in range(60):
        person.live(20 * SECOND, need()).live(20 * SECOND)
    assert person.told == [(1, 0, 0)]


def test_what_keeps_coming_back_is_cleared_later_each_time() -> None:
    """Ten minutes down, ten minutes up, for a day: far fewer messages than changes."""
    person = Person()
    for _ in range(72):
        person.live(10 * MINUTE, need()).live(10 * MINUTE)
    assert len(person.heard) <= 12
    assert person.known[("given_up", "orders", "erp")].returns >= 4


def test_while_the_events_file_cannot_be_read_nothing_of_it_is_mended() -> None:
    """An unreadable file is no all-clear; what else was told may be."""
    low = Need(problem=problem("disk_low", free="1 MB", floor="2 MB"))
    person = Person().live(5 * MINUTE, need(), low)
    person.live(HOUR, outlook=Outlook(needs=[], whole=False))
    assert person.told == [(2, 0, 0), (0, 0, 1)]
    assert person.heard[1][1].mended[0].code == "disk_low"
    assert person.live(5 * MINUTE).told[-1] == (0, 0, 1)


def test_what_cannot_be_known_just_now_stays_as_it_was() -> None:
    """Neither an all-clear nor a second alert."""
    unsure = Outlook(needs=[], unsure=frozenset({("given_up", "orders", "erp")}))
    person = Person().live(5 * MINUTE, need()).live(HOUR, outlook=unsure).live(HOUR, need())
    assert person.told == [(1, 0, 0)]


def test_only_what_is_asked_for_is_told() -> None:
    """Other kinds are never told, and one that is asked for no longer gives no all-clear."""
    person = Person(replace(SETTINGS, about=("disk_low",))).live(HOUR, need())
    assert person.told == []
    person = Person().live(HOUR, need())
    person.settings = replace(SETTINGS, about=("disk_low",))
    assert person.live(HOUR).told == [(1, 0, 0)]


def test_setting_up_needs_nobody_beyond_the_page() -> None:
    """A touchpoint without a secret is on the page alone."""
    words = problem("no_secret_yet", touchpoint="orders")
    assert Person().live(HOUR, Need(problem=words, touchpoint="orders")).told == []


def test_a_name_that_is_no_text_can_be_told() -> None:
    """A file's name may hold bytes that are no character."""
    words = problem("config_not_applied", errors="caf\udce9.toml")
    (said,) = Person().live(5 * MINUTE, Need(problem=words)).heard[0][1].news
    assert said.text == "The configuration file was not applied: caf?.toml"


def test_what_came_back_while_its_all_clear_went_is_news() -> None:
    """The message and the world cross: what is there is told."""
    person = Person().live(5 * MINUTE, need())
    person.known = observe(person.known, Outlook(needs=[]), kinds=SETTINGS.kinds, group=MINUTE, now=person.now)
    person.now += 2 * MINUTE
    said = due(person.known, SETTINGS, now=person.now)
    assert said is not None
    person.known = observe(person.known, Outlook(needs=[need()]), kinds=SETTINGS.kinds, group=MINUTE, now=person.now)
    person.known = after(person.known, said, now=person.now)
    assert person.live(5 * MINUTE, need()).told == [(1, 0, 0), (1, 0, 0)]


def test_a_clock_that_was_set_back_delays_nothing() -> None:
    """A reminder is due a day after the clock's new time, not after the old one's."""
    person = Person().live(5 * MINUTE, need())
    person.now -= 300 * DAY
    assert person.live(DAY + MINUTE, need()).told == [(1, 0, 0), (0, 1, 0)]
