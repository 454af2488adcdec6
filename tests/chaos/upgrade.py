"""kill -9 in the middle of an upgrade: at every statement and every some hundred rows, of the agent's files and the proxy's."""

import asyncio
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from store.sqlite import migrate as module
from store.sqlite.database import pragma_number
from store.sqlite.migrate import migrate, schema
from tests.appliance.agents import agent_over
from tests.chaos.child import Child
from tests.chaos.found import Found
from tests.chaos.ledger import Ledger
from tests.chaos.scene import until
from tests.chaos.upgrading import launch_newer
from tests.released.living import later, living, ports
from tests.released.sets import FILES, Frozen, frozen_sets
from tests.store.make import arrival
from tests.store.upgrades import REAL, newer, rows_of
from tests.web.proxy.kit import proxy_over

FURTHER = 2  # forms of each file that only the newer program has
MOST = 2_000  # steps: an upgrade has fewer
ROLES = {"one": ("configuration", "events"), "proxy": ("proxy", "queue")}
QUIET = {"events", "queue"}  # to which nobody writes before they are brought up to date
AT_ONCE = 50  # events that are posted at the same time


class Upgrade:
    """A frozen set, filled up, and the newer program over copies of it."""

    def __init__(self, folder: Path, frozen: Frozen) -> None:
        self.folder = folder
        self.frozen = frozen
        self.ports = ports()
        self.left = folder / "left"
        self.waiting = set(frozen.told["waiting"])
        self.held = 0
        self.before: dict[str, dict[str, Counter[int]]] = {}  # by kind and table: what its rows are
        self.forms = {(kind, number): _form(kind, number) for kind in FILES for number in range(1, _latest(kind) + 1)}

    async def fill(self, events: int) -> None:
        """More rows than a page holds: in the agent's inbox, for a touchpoint on hold, and in the proxy's queue."""
        self.frozen.make(self.left, self.ports)
        async with proxy_over(self.left / "proxy", self.ports["proxy"], clock=later()) as site:
            puller = await site.tenant("crowded", "orders")
            for _ in range(0, events, AT_ONCE):
                answers = await asyncio.gather(*(site.post(puller, body=b"x" * 500) for _ in range(AT_ONCE)))
                assert all(answer.is_success for answer in answers)
        async with agent_over(self.left / "one", start=False, clock=later()) as agent:
            stock = next(one.id for one in agent.configuration.touchpoints if one.name == "stock")
            inbox = agent.opened.readable().inbox
            await asyncio.gather(*(inbox.put(arrival(n, b"y" * 500, touchpoint=stock)) for n in range(events)))
        self.held = self.frozen.told["agent"]["backlog"][2] + events
        self.before = {kind: _rows(self.left / place / name) for kind, (place, name) in FILES.items()}

    def copy(self, name: str) -> Path:
        """Fresh folders, as the older program left them."""
        return Path(shutil.copytree(self.left, self.folder / name))

    async def strike(self, folder: Path, role: str, last: int) -> bool:
        """The newer program of a role runs there and ends at a step; False: all was brought up to date before it came."""
        child = Child("agent" if role == "one" else "proxy", folder / role, launch=launch_newer)
        child.start(last=last)
        try:
            await until(lambda: child.struck or self._whole(folder, role), seconds=60)
            return child.struck
        finally:
            await child.kill()

    def _whole(self, folder: Path, role: str) -> bool:
        return all(_version(folder / role / FILES[kind][1]) == _latest(kind) for kind in ROLES[role])

    def check(self, folder: Path, role: str, found: Found, words: str, *, struck: bool) -> None:
        """What is on the disk: of each file one form or another, wholly, and every row of it, as it was; who was not struck
        went on, and `goes_on` says whether rightly.
        """
        looked = Path(shutil.copytree(folder / role, self.folder / "looked", ignore=shutil.ignore_patterns("*-shm")))
        for kind in ROLES[role]:
            with closing(sqlite3.connect(looked / FILES[kind][1])) as db:
                number = pragma_number(db, "user_version")
                found.must(db.execute("PRAGMA quick_check").fetchone() == ("ok",), f"{words}: {kind} is damaged")
                found.must(schema(db) == self.forms[kind, number], f"{words}: {kind} is neither form {number} nor another")
                kept, before = rows_of(db), self.before[kind]
                found.must(kept["migrations"].total() == number, f"{words}: {kind} has not the records of its form")
                for table in before.keys() - {"migrations"} if struck else ():
                    rows = kept.get(table, Counter())
                    right = rows == before[table] or (kind not in QUIET and rows > before[table])
                    found.must(right, f"{words}: {(before[table] - rows).total()} rows of {kind}.{table} are gone or others")
        shutil.rmtree(looked)

    async def goes_on(self, folder: Path, found: Found, words: str) -> None:
        """Both roles in the newer program: the upgrade ends, and what waited arrives, once."""
        ledger = Ledger()
        ledger.accepted = set(self.waiting)
        async with living(folder, self.ports, ledger, later()) as (site, agent):
            judged = await ledger.judge()
            backlog = (await agent.control.status())["backlog"]
            kept = sum(backlog[name] or 0 for name in ("inbox", "held"))
            found.must(kept == self.held, f"{words}: {backlog} instead of {self.held}")
            found.must(site.role.opened.usable, f"{words}: there is no queue")
            found.add(judged)


async def upgrade(folder: Path, *, events: int = 300, stride: int = 1, whole: int = 1) -> Found:
    """Each role is killed at its 1st, 2nd, 3rd … step of the upgrade, until it ends untouched; always from the beginning.

    `whole`: after each so many-th kill, and after the untouched end, both roles are run to see that all goes on.
    """
    found, steps = Found(), []
    made = Upgrade(folder, frozen_sets()[-1])
    await made.fill(events)
    with newer(*FILES):
        for role in ROLES:
            for number, last in enumerate(range(1, MOST, stride)):
                place, words = made.copy(f"{role}-{last}"), f"{role} at step {last}"
                struck = await made.strike(place, role, last)
                made.check(place, role, found, words, struck=struck)
                if not struck or number % whole == whole - 1:
                    await made.goes_on(place, found, words)
                shutil.rmtree(place)
                if not struck:
                    steps.append(last)
                    break
    found.must(len(steps) == len(ROLES), "an upgrade has more steps than there can be")
    found.notes.append(f"steps: {steps}")
    return found


def _latest(kind: str) -> int:
    """The newer program's form of a kind."""
    return REAL(kind)[-1][0] + FURTHER


def _form(kind: str, number: int) -> str:
    """The schema of a kind in a form, made on a file of nothing."""
    with newer(kind), closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        known = [one for one in module.migrations(kind) if one[0] <= number]
        kept, module.migrations = module.migrations, lambda kind: known  # noqa: ARG005 - the name of its argument
        try:
            migrate(db, kind, path=Path(), now=7)
        finally:
            module.migrations = kept
        return schema(db)


def _rows(path: Path) -> dict[str, Counter[int]]:
    with closing(sqlite3.connect(path)) as db:
        return rows_of(db)


def _version(path: Path) -> int:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.2)) as db:
            return pragma_number(db, "user_version")
    except sqlite3.Error:  # it is being opened this very moment
        return 0
