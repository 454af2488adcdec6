"""Two hundred seeds: nothing is lost, stuck or admitted, and no event runs at two agents, whatever befalls them."""

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from store.sqlite.database import Opener
from tests.simulation.__main__ import played
from tests.simulation.disk import SimDatabase
from tests.simulation.ends import INVOICES, ORDERS, STOCK, UNWANTED, WANTED, Ledger, Post
from tests.simulation.invariants import Invariants
from tests.simulation.loop import VirtualLoop
from tests.simulation.places import Kept, Places
from tests.simulation.world import Verdict, play

SEEDS = 200
LIES = {  # by what is done wrong: the file, a trigger that does it, and what is to be found
    "planned and still in the inbox": (
        "events.db",
        "BEFORE DELETE ON main.inbox BEGIN SELECT raise(IGNORE); END",
        "is in 2 places|waits or ran",
    ),
    "planned and in no outbox": (
        "events.db",
        "AFTER INSERT ON main.deliveries BEGIN DELETE FROM deliveries WHERE seq = new.seq; END",
        "is in 0 places",
    ),
    "released and still docked": (
        "events.db",
        "BEFORE DELETE ON main.docked BEGIN SELECT raise(IGNORE); END",
        "is at once at (one, one|two, two)'s dock",
    ),
    "docked and gone": (
        "events.db",
        "AFTER INSERT ON main.docked BEGIN DELETE FROM docked WHERE place = new.place; END",
        "is forgotten",
    ),
    "acknowledged and still queued": (
        "queue.db",
        (
            "AFTER UPDATE OF acknowledged ON main.lanes WHEN new.acknowledged > old.acknowledged "
            "BEGIN UPDATE lanes SET acknowledged = old.acknowledged WHERE organisation = new.organisation; END"
        ),
        "is at once at proxy, (one|two)",
    ),
    "answered by the proxy and not queued": (
        "queue.db",
        "AFTER INSERT ON main.messages BEGIN DELETE FROM messages WHERE organisation = new.organisation AND seq = new.seq; END",
        "was answered 2xx",
    ),
    "answered by the agent and not stored": (
        "events.db",
        (
            "AFTER INSERT ON main.inbox WHEN (SELECT arrived_by FROM events WHERE seq = new.seq) = 'direct' "
            "BEGIN DELETE FROM inbox WHERE seq = new.seq; DELETE FROM events WHERE seq = new.seq; END"
        ),
        "was answered 2xx",
    ),
    "a duplicate forgotten": (
        "events.db",
        (
            "AFTER UPDATE OF verdict ON main.events WHEN new.verdict = 'duplicate' "
            "BEGIN DELETE FROM events WHERE seq = new.seq; END"
        ),
        "is forgotten",
    ),
    "a duplicate of nothing": (
        "events.db",
        "AFTER UPDATE OF duplicate_of ON main.events BEGIN UPDATE events SET duplicate_of = NULL WHERE seq = new.seq; END",
        "repeats None, which is another or not to run",
    ),
    "a duplicate run": (
        "events.db",
        "AFTER INSERT ON main.claims BEGIN DELETE FROM claims WHERE event_seq = new.event_seq; END",
        "runs 2 times",
    ),
    "a filtered one forgotten": (
        "events.db",
        (
            "AFTER UPDATE OF verdict ON main.events WHEN new.verdict = 'filtered' "
            "BEGIN DELETE FROM events WHERE seq = new.seq; END"
        ),
        "is forgotten",
    ),
    "a held one forgotten": (
        "events.db",
        "AFTER INSERT ON main.deliveries WHEN new.state = 'held' BEGIN DELETE FROM deliveries WHERE seq = new.seq; END",
        "is in 0 places",
    ),
    "a held one let go": (
        "events.db",
        (
            "AFTER INSERT ON main.deliveries WHEN new.state = 'held' "
            "BEGIN UPDATE deliveries SET state = 'pending' WHERE seq = new.seq; END"
        ),
        "is on hold, and goes out",
    ),
    "one held that is not on hold": (
        "events.db",
        (
            "AFTER INSERT ON main.deliveries WHEN new.state = 'pending' "
            "BEGIN UPDATE deliveries SET state = 'held' WHERE seq = new.seq; END"
        ),
        "is held, and nobody wished so",
    ),
    "a refused one in the inbox": (
        "events.db",
        ("AFTER INSERT ON main.events WHEN new.verdict = 'refused' BEGIN INSERT INTO inbox (seq) VALUES (new.seq); END"),
        "is refused, and waits or ran",
    ),
    "another body": (
        "events.db",
        "AFTER INSERT ON main.bodies BEGIN UPDATE bodies SET data = x'30' WHERE place = new.place; END",
        "is not what was sent",
    ),
}
TIMES = 4  # parts, so that a failure is seen early and each stays below the time a test may take


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Programs say a lot about faults that are made."""
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two agents and a proxy that are paired, and nothing posted yet."""
    folder = tmp_path_factory.mktemp("simulation") / "template"
    play(folder, 0, None)
    return folder


def _played(template: Path, folder: Path, seed: int = 2) -> Verdict:
    verdict = play(folder / "seed", seed, template)
    assert verdict is not None
    return verdict


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(TIMES))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # tasks of killed processes
def test_everything_arrives_whatever_befalls(tmp_path: Path, part: int) -> None:
    """`python -m tests.simulation SEED` plays one again."""
    bad = [verdict for verdict in played(tmp_path, range(part, SEEDS, TIMES)) if not verdict.good]
    assert bad == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_seed_is_the_same_world_each_time(tmp_path: Path) -> None:
    """The same things go wrong at the same moments, and the same comes of it."""
    play(tmp_path / "template", 0, None)
    twice = [play(tmp_path / f"{turn}", 12, tmp_path / "template") for turn in range(2)]
    assert twice[0] == twice[1]
    assert twice[0] is not None
    assert twice[0].struck


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("lie", LIES)
def test_a_disk_that_lies_is_found(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    """Were an event forgotten, copied, wrongly judged or let go, the world would say so."""
    file, trigger, words = LIES[lie]
    honest = SimDatabase.open.__func__  # type: ignore[attr-defined]  # of a class method

    async def lying(cls: type[SimDatabase], opener: Opener) -> SimDatabase:
        made: SimDatabase = await honest(cls, opener)
        if opener.writer and opener.path.name == file:
            made._connection.execute(f"CREATE TEMP TRIGGER lie {trigger}")
        return made

    monkeypatch.setattr(SimDatabase, "open", classmethod(lying))
    verdict = _played(template, tmp_path)
    assert not verdict.good
    assert any(re.search(words, what) for what in verdict.wrong), verdict.wrong


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_to_be_filtered_and_runs_is_found(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were every type wanted, the world would say so."""
    monkeypatch.setattr("touchpoints.plan.wants", lambda _touchpoint, _type: True)
    verdict = _played(template, tmp_path)
    assert any("is accepted instead of filtered" in what for what in verdict.wrong)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signature_that_is_not_looked_at_is_found(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a forged event taken, the world would say so."""
    monkeypatch.setattr("hmac.compare_digest", lambda _one, _other: True)
    verdict = _played(template, tmp_path)
    assert any("is forged, and waits in the inbox" in what for what in verdict.wrong)


def test_what_two_agents_have_is_found() -> None:
    """By hand, for no single lie in one file does it."""
    event = Kept(id="a", body=b"1", way="proxy", verdict="accepted", original=None, inbox=True, pending=0, held=0, settled=0)
    ledger = Ledger(posts={1: Post(1, way="proxy", touchpoint=ORDERS, type=WANTED, forged=False)})
    both = Places(kept={"one": [event], "two": [event]})
    assert [*Invariants(ledger).broken(both)] == ["a is at once at one, two"]
    ledger.runs[1] += [("one", "a"), ("two", "a")]
    one = Places(kept={"one": [event]})
    assert [*Invariants(ledger).broken(one)] == ["a ran at two agents"]
    ledger.runs[1] = [("one", "b")]
    assert [*Invariants(ledger).broken(one)] == ["b ran, and is nowhere accepted"]


@pytest.mark.parametrize(
    "post",
    [
        Post(1, way="proxy", touchpoint=ORDERS, type=WANTED, forged=True),
        Post(1, way="proxy", touchpoint=STOCK, type=UNWANTED, forged=False),
        Post(1, way="proxy", touchpoint=INVOICES, type=WANTED, forged=False),
    ],
)
def test_what_must_not_run_and_did_is_found(post: Post) -> None:
    """Forged, of a type that nobody wants, or on hold: also where no file tells of it."""
    ledger = Ledger(posts={1: post})
    ledger.runs[1].append(("one", "a"))
    assert "1 ran, and must not" in [*Invariants(ledger).broken(Places())]


def test_time_goes_by_only_when_nobody_has_anything_to_do() -> None:
    """A day in a moment, in the order of what is due."""
    loop, order = VirtualLoop(), list[str]()

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(name)

    async def both() -> None:
        await asyncio.gather(sleeper("late", 86400.0), sleeper("early", 1.0))

    loop.run_until_complete(both())
    loop.close()
    assert order == ["early", "late"]
    assert loop.now == 86400.0
