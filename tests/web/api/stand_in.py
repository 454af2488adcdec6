"""A small process in memory: what the API asks of the control, the log and the people, answered from lists."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import httpx
from litestar import Litestar

from appliance.selection import select
from store.actions import Done
from store.configuration import Actor, Applied, Change, Document
from store.door import Session
from store.inbox import StoreUnavailable
from store.log import Backlog, DestinationBacklog, ExportRow, Filter, Listed, RecordedAttempt, Scanned, Timeline
from store.people import ApiToken, AuditLine, Scope
from store.settings import Configuration
from store.statistics import Figures
from touchpoints.delivery import Delivery, DeliveryState, delivery_id
from touchpoints.event import ArrivedBy, Event, Headers, Verdict
from touchpoints.moment import MINUTE, SECOND, Micros, rfc3339
from touchpoints.problem import ProblemError, problem
from touchpoints.pull.call import State
from touchpoints.touchpoint import FolderDestination, HttpDestination, Touchpoint, Verification
from web.api.desk import Desk
from web.guard_session import cookie_name
from web.guard_token import token_digest
from web.live import Live
from web.local import make_local
from web.membership import Standing
from web.page.setup_link import SetupLink

MACHINE_TOKEN = "machine-token-of-this-start"
NOW: Micros = 1_800_000_000 * SECOND

ORDERS = Touchpoint(
    id=1,
    name="orders",
    aliases=("old-orders",),
    provider="shopify",
    destinations=(
        HttpDestination(id=11, name="erp", url="http://127.0.0.1:9000/"),
        FolderDestination(id=12, name="files", path="/x"),
    ),
)
STOCK = Touchpoint(id=2, name="stock", verification=Verification(scheme="token", credential="header:x-stock-pass|query:entry"))


PARTS = Touchpoint(id=3, name="parts", verification=Verification(signature="header:X-Old-Sum|header:X-Sum"))


SETTINGS = Configuration(touchpoints=(ORDERS, STOCK, PARTS))


def event(number: int, **changes: Any) -> Event:
    body = b'{"n":%d}' % number
    plain = Event(
        id=f"{number:026d}",
        touchpoint=1,
        received_at=NOW - MINUTE + number,
        arrived_by=ArrivedBy.DIRECT,
        verdict=Verdict.ACCEPTED,
        method="POST",
        target="/hooks/orders",
        headers=((b"content-type", b"application/json"),),
        remote="192.0.2.7",
        event_type="orders/create",
        reference=str(1000 + number),
        body_bytes=len(body),
        body_hash=hashlib.sha256(body).digest(),
    )
    return replace(plain, **changes)


def delivery(of: Event, state: DeliveryState = DeliveryState.PENDING) -> Delivery:
    return Delivery(
        id=delivery_id(of.id, "erp", 1),
        event_id=of.id,
        touchpoint=of.touchpoint,
        destination=11,
        state=state,
        due_at=NOW,
        attempts=1,
    )


def export_row(number: int, **changes: Any) -> ExportRow:
    plain = ExportRow(
        cursor=(number, number, 1),
        received_at=NOW + number,
        event_id=f"{number:026d}",
        touchpoint=1,
        event_type="orders/create",
        reference=str(number),
        arrived_by="direct",
        destination=11,
        delivery_id=f"{number:026d}-abcdefgh",
        run=1,
        delivery_state="delivered",
        attempt=1,
        attempted_at=NOW + number + 1,
        duration=12_600,
        outcome="delivered",
        http_status=200,
        error_code="",
        error="",
        next_attempt_at=None,
        body_bytes=9,
    )
    return replace(plain, **changes)


BACKUP = {"file": "/srv/hookport-20261124T023000Z.backup", "made_at": "2026-11-24T02:30:00Z", "bytes": 4096}


@dataclass
class StandInLog:
    listed: list[Listed] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    attempts: tuple[RecordedAttempt, ...] = ()
    exported: list[ExportRow] = field(default_factory=list)
    asked: list[Filter] = field(default_factory=list)

    def keep(self, one: Event, body: bytes, *deliveries: Delivery, item_of: str | None = None) -> None:
        self.listed.insert(0, Listed(seq=len(self.listed) + 1, event=one, item_of=item_of, deliveries=deliveries))
        self.bodies[one.id] = body

    async def events(self, which: Filter, *, limit: int, before: int | None = None) -> Sequence[Listed]:
        self.asked.append(which)
        return [one for one in self.listed if before is None or one.seq < before][:limit]

    async def timeline(self, event_id: str) -> Timeline | None:
        for one in self.listed:
            if event_id.startswith(one.event.id):
                items = [other.event.id for other in reversed(self.listed) if other.item_of == one.event.id]
                return Timeline(listed=one, attempts=self.attempts, duplicates=(), items=tuple(items))
        return None

    async def last_attempts(self, seqs: Sequence[int]) -> Mapping[str, RecordedAttempt]:
        ids = {delivery.id for one in self.listed if one.seq in seqs for delivery in one.deliveries}
        return {one.delivery_id: one for one in self.attempts if one.delivery_id in ids}

    async def count_held(self, *, up_to: int) -> int:
        kept = (delivery for one in self.listed if one.seq <= up_to for delivery in one.deliveries)
        return sum(delivery.state == "held" for delivery in kept)

    async def find(self, text: str, *, limit: int) -> Sequence[Listed]:
        return [one for one in self.listed if text in (one.event.id, one.event.reference, one.event.dedup_key)][:limit]

    async def scan(self, text: bytes, which: Filter, *, before: int | None = None) -> Scanned:
        self.asked.append(which)
        left = [one for one in self.listed if before is None or one.seq < before]
        found = tuple(one for one in left[:1] if text in self.bodies[one.event.id])
        return Scanned(found=found, next_before=left[0].seq if len(left) > 1 else None, looked=len(left[:1]))

    async def reach(self, which: Filter) -> tuple[int, int]:
        self.asked.append(which)
        return (1, len(self.listed) + 1) if self.listed else (0, 0)

    async def body(self, event_id: str) -> bytes | None:
        return self.bodies.get(event_id)

    async def rows(self, which: Filter, *, limit: int, after: tuple[int, int, int] = (0, 0, 0)) -> Sequence[ExportRow]:
        self.asked.append(which)
        return [row for row in self.exported if row.cursor > after][:limit]

    async def count_rows(self, which: Filter, *, most: int | None = None) -> int:  # noqa: ARG002 - the interface names them
        return len(self.exported)

    async def backlog(self) -> Backlog:
        return Backlog(inbox=0, outbox=0, held=0, given_up=0, refused=0, oldest_at=None)

    async def destinations(self) -> Mapping[int, DestinationBacklog]:
        return {}

    async def last_events(self) -> Mapping[int, Micros]:
        return {}

    async def recent_deliveries(self, touchpoints: Sequence[int], *, limit: int) -> Mapping[int, Sequence[tuple[Micros, str]]]:  # noqa: ARG002 - the interface names it
        return {}

    async def refusals(self, touchpoint: int | None = None, *, since: Micros = 0) -> Mapping[tuple[int, str], int]:  # noqa: ARG002 - the interface names it
        return {}


@dataclass
class StandInControl:
    settings: Configuration = SETTINGS
    ok: bool = True
    refuse: tuple[str, ...] = ()  # paths of problems the next apply reports
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    proxy_urls: Mapping[int, str] = field(default_factory=dict)
    secrets_captured: Sequence[dict[str, Any]] = ()

    def configuration(self) -> Configuration:
        return self.settings

    async def status(self) -> dict[str, Any]:
        return {
            "version": "0",
            "role": "agent",
            "running": True,
            "ok": self.ok,
            "mode": "direct",
            "data_dir": "/data",
            "page": "http://127.0.0.1:8421",
            "direct": {"state": "up", "address": "0.0.0.0:8420", "url": "https://hooks.example.com", "error": None},
            "proxy": {
                "state": "off",
                "url": None,
                "domain": None,
                "last_poll_at": None,
                "waiting": None,
                "agent": None,
                "holder": None,
                "error": None,
            },
            "backlog": {"inbox": 1, "outbox": 2, "held": 3, "oldest_seconds": 4},
            "needs_you": []
            if self.ok
            else [
                {
                    "code": "given_up",
                    "count": 5,
                    "text": "5 gave\x1b[2Jup",
                    "mend": "",
                    "touchpoint": "orders",
                    "destination": "erp",
                }
            ],
        }

    async def touchpoints(self) -> dict[str, Any]:
        return {
            "touchpoints": [
                {
                    "name": one.name,
                    "provider": one.provider,
                    "state": one.state.value,
                    "endpoint_urls": {
                        "direct": f"https://hooks.example.com/hooks/{one.name}",
                        "proxy": self.proxy_urls.get(one.id),
                    },
                    "destinations": [
                        {"name": to.name, "kind": to.kind, "state": "up", "pending": 1, "given_up": 0}
                        for to in one.destinations
                    ],
                    "last_event_at": None,
                }
                for one in self.settings.touchpoints
            ]
        }

    def _applied(self, *call: Any) -> Applied:
        self.calls.append(call)
        if self.refuse:
            return Applied(problems=tuple(problem("nothing_chosen", path=path) for path in self.refuse))
        return Applied(changes=(Change(path="touchpoint.orders", what="changed"),), configuration=self.settings)

    async def apply(self, document: Document, *, base: str, digest: str, prune: bool, dry_run: bool, actor: Actor) -> Applied:
        applied = self._applied("apply", document, base, digest, prune, dry_run, actor)
        if not self.refuse and not dry_run and (added := document.get("touchpoint")):
            self.settings = replace(
                self.settings, touchpoints=(*self.settings.touchpoints, Touchpoint(id=3, name=added[0]["name"]))
            )
        return applied

    async def show(self) -> str:
        return '[agent]\nmode = "direct"\n'

    async def secret_sources(self) -> Mapping[str, str]:
        return {}

    async def trial(self, touchpoint: str, event_id: str, *, secret: str = "") -> dict[str, Any] | None:
        self.calls.append(("trial", touchpoint, event_id, bool(secret)))
        return None

    async def rename(self, old: str, new: str, *, actor: Actor) -> Applied:
        return self._applied("rename", old, new, actor)

    async def remove(self, name: str, *, destination: str = "", actor: Actor) -> Applied:
        return self._applied("remove", name, *filter(None, [destination]), actor)

    async def test(
        self, touchpoint: str, body: bytes | None, *, headers: Mapping[str, str], deliver: bool, actor: Actor
    ) -> dict[str, Any]:
        self.calls.append(("test", touchpoint, body, dict(headers), deliver, actor))
        sent: dict[str, Any] = {
            "destination": "erp",
            "kind": "http",
            "target": "http://127.0.0.1:9000/",
            "method": "POST",
            "sent": deliver,
        }
        sent["headers"] = [["x-plain", "a"], ["x-stock-pass", "hush"], ["x-sum", "5ig"]]
        return {"event_id": "1", "verdict": "accepted", "reason": "", "deliveries": [sent]}

    async def act(self, action: str, which: Filter, *, dry_run: bool, actor: Actor) -> Done:
        self.calls.append(("act", action, which, dry_run, actor))
        return Done(matched=3, changed=2, skipped=1, ids=("a", "b"))

    def knock(self, touchpoint: int) -> dict[str, Any] | None:  # noqa: ARG002 - the interface names it
        return None

    def captured(self) -> list[dict[str, Any]]:
        return list(self.secrets_captured)

    async def dismiss_captured(self, touchpoint: str, *, actor: Actor) -> None:
        self.calls.append(("dismiss_captured", touchpoint, actor))

    def alerts(self) -> dict[str, Any]:
        failing = {"channel": "webhook", "set_up": True, "last_sent_at": None, "error": "127.0.0.1:9 answered 500."}
        told = {"channel": "email", "code": "given_up", "count": 1, "text": "Gave <b>up</b>.", "touchpoint": "orders"}
        moments = {"destination": "erp", "since": rfc3339(NOW), "told_at": rfc3339(NOW), "cleared_at": None}
        return {"channels": [failing], "told": [{**told, **moments}]}

    async def test_alerts(self, document: Document | None, *, actor: Actor) -> dict[str, Any]:
        self.calls.append(("test_alerts", document, actor))
        return {"channels": [{"channel": "webhook", "sent": self.ok, "error": None if self.ok else "It answered 500."}]}

    async def check(self) -> dict[str, Any]:
        return {"configuration": True, "events": self.ok}

    async def start_empty(self, *, actor: Actor) -> None:
        self.calls.append(("start_empty", actor))
        self.ok = True

    def selectors(self, names: Mapping[str, str]) -> Filter:
        return select(names, self.settings, now=NOW)


@dataclass
class StandInSafekeeping:
    calls: list[Any] = field(default_factory=list)
    restored: str | None = None

    async def told(self) -> dict[str, Any]:
        return {"backups": [BACKUP], "trouble": None, "restored": self.restored}

    async def make(self, *, actor: Actor) -> dict[str, Any]:
        self.calls.append(("make", actor))
        return {**BACKUP, "waiting": 1, "bodies": 1, "claims": 2, "organisations": 0, "agents": 0, "with_key": False}

    async def looked(self, *, actor: Actor) -> dict[str, Any]:
        self.calls.append(("looked", actor))
        self.restored = None
        return await self.told()


@dataclass
class StandInMembership:
    """Paired or not as `stands` says; `refuses` is the code of what every deed comes to."""

    stands: Standing = field(default_factory=Standing)
    told: State = field(
        default_factory=lambda: State(organisation=1, domain="acme", incarnation="i", acknowledged=7, next_seq=9)
    )
    recovery_key: str = ""
    refuses: str = ""
    refuse_values: Mapping[str, str] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def standing(self) -> Standing:
        return self.stands

    async def state(self) -> State:
        self._refuse()
        return self.told

    async def pair(self, code: str, url: str, *, name: str, actor: str) -> str:
        self._do("pair", code, url, name, actor)
        state = "connecting" if self.recovery_key else "waiting_key"
        self.stands = replace(
            self.stands,
            paired=True,
            state=state,
            url=url,
            domain="acme",
            agent_id="a1",
            agent_name=name,
            fingerprint="3f2a 91c0",
        )
        return self.recovery_key

    async def approve(self, agent_id: str, compared: str, *, actor: str) -> None:
        self._do("approve", agent_id, compared, actor)

    async def recover(self, recovery_key: str, *, actor: str) -> None:
        self._do("recover", recovery_key, actor)

    async def take_over(self, agent_id: str, *, actor: str) -> int:
        self._do("take_over", agent_id, actor)
        return 3

    async def seek(self, to: int, *, actor: str) -> int:
        self._do("seek", to, actor)
        return 4

    async def leave(self, *, anyway: bool, actor: str) -> None:
        self._do("leave", anyway, actor)
        self.stands = Standing()

    async def rotate(self, touchpoint: str, *, actor: str) -> None:
        self._do("rotate", touchpoint, actor)

    async def settle_left(self, *, run: bool, actor: str) -> int:
        self._do("settle_left", run, actor)
        return 5

    async def dismiss_restored(self, *, actor: str) -> None:
        self._do("dismiss_restored", actor)

    async def close_old(self, which: str, *, actor: str) -> None:
        self._do("close_old", which, actor)

    def _do(self, *call: Any) -> None:
        self._refuse()
        self.calls.append(call)

    def _refuse(self) -> None:
        if self.refuses:
            raise ProblemError(problem(self.refuses, **self.refuse_values))


@dataclass
class StandInPeople:
    kept: dict[str, tuple[ApiToken, bytes]] = field(default_factory=dict)
    lines: list[AuditLine] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)

    async def add_token(self, name: str, scope: Scope, digest: bytes, *, now: Micros) -> None:
        self.kept[name] = (ApiToken(name=name, scope=scope, created_at=now, last_used_at=None), digest)

    async def tokens(self) -> Sequence[ApiToken]:
        return [token for token, _ in self.kept.values()]

    async def revoke_token(self, name: str) -> bool:
        return self.kept.pop(name, None) is not None

    async def token_by_digest(self, digest: bytes, *, now: Micros) -> ApiToken | None:  # noqa: ARG002 - the interface names it
        return next((token for token, kept in self.kept.values() if kept == digest), None)

    async def set_password(self, person: str, password_hash: str, *, now: Micros) -> None:  # noqa: ARG002 - the interface names it
        self.passwords[person] = password_hash

    async def remove_person(self, person: str) -> bool:
        return self.passwords.pop(person, None) is not None

    async def password_hash(self, person: str) -> str | None:
        return self.passwords.get(person)

    async def persons(self) -> Sequence[str]:
        return sorted(self.passwords)

    async def audit(self, line: AuditLine) -> None:
        self.lines.append(line)

    async def audited(self, *, limit: int, before: int | None = None) -> Sequence[tuple[int, AuditLine]]:
        numbered = [(number, line) for number, line in enumerate(self.lines, 1) if before is None or number < before]
        return numbered[::-1][:limit]


SESSION = "session-of-ann"
INSTANCE = "0123456789abcdef"


@dataclass
class StandInDoor:
    """A door at which ann is signed in."""

    sessions: dict[bytes, Session] = field(
        default_factory=lambda: {token_digest(SESSION): Session(person="ann", created_at=NOW, used_at=NOW)}
    )
    wish: bool = False

    async def open_session(self, digest: bytes, person: str, *, now: Micros) -> None:
        self.sessions[digest] = Session(person=person, created_at=now, used_at=now)

    async def session(self, digest: bytes, *, now: Micros, note: bool = True) -> Session | None:  # noqa: ARG002 - the interface names them
        return self.sessions.get(digest)

    async def close_session(self, digest: bytes) -> None:
        self.sessions.pop(digest, None)

    async def try_by(self, *subjects: str, now: Micros) -> Micros:  # noqa: ARG002 - the interface names it
        return 0

    async def forgive(self, *subjects: str) -> None:  # noqa: ARG002 - the interface names it
        return

    async def ask_for_link(self) -> None:
        self.wish = True

    async def take_wish(self) -> bool:
        wished, self.wish = self.wish, False
        return wished


@dataclass
class StandInStatistics:
    spans_: list[tuple[Micros, Figures]] = field(default_factory=list)

    async def spans(self, *, since: Micros, until: Micros, width: Micros) -> Sequence[tuple[Micros, Figures]]:  # noqa: ARG002 - the interface names it
        return self.spans_


@dataclass
class StandIn:
    spool: Path
    control: StandInControl = field(default_factory=StandInControl)
    membership: StandInMembership = field(default_factory=StandInMembership)
    safekeeping: StandInSafekeeping = field(default_factory=StandInSafekeeping)
    log: StandInLog = field(default_factory=StandInLog)
    people: StandInPeople = field(default_factory=StandInPeople)
    door: StandInDoor = field(default_factory=StandInDoor)
    statistics: StandInStatistics = field(default_factory=StandInStatistics)
    live: Live = field(default_factory=Live)
    broken: str = ""  # a problem code: the events file cannot be used

    def _log(self) -> StandInLog:
        if self.broken:
            raise StoreUnavailable(self.broken, retry_after=7)
        return self.log

    def desk(self) -> Desk:
        return Desk(
            control=self.control,
            membership=self.membership,
            safekeeping=self.safekeeping,
            log=self._log,
            people=self.people,
            door=self.door,
            link=SetupLink(now=lambda: NOW, new_token=lambda: "link-token"),
            loopback=lambda: "http://127.0.0.1:8421",
            instance=lambda: INSTANCE,
            machine_token_digest=hashlib.sha256(MACHINE_TOKEN.encode()).digest(),
            now=lambda: NOW,
            new_token=lambda: f"fresh-token-{len(self.people.kept)}",
            spool=self.spool,
            statistics=lambda: self.statistics,
            live=self.live,
        )

    def app(self) -> Litestar:
        return make_local(self.desk(), version="0")

    @asynccontextmanager
    async def client(self, token: str = MACHINE_TOKEN) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(cast(Any, self.app()))
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8421", headers=headers) as client:
            yield client

    @asynccontextmanager
    async def signed_in(self, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """Ann in front of a page, as a browser sends what its own scripts and forms ask for."""
        own = {"origin": "http://127.0.0.1:8421", "sec-fetch-site": "same-origin", **headers}
        cookies = {cookie_name(INSTANCE): SESSION}
        transport = httpx.ASGITransport(cast(Any, self.app()))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8421", headers=own, cookies=cookies
        ) as client:
            yield client


ODD_HEADERS: Headers = (
    (b"authorization", b"Basic c2VjcmV0"),
    (b"x-shopify-topic", b"orders/create"),
    (b"x-odd", b"\x1b]0;\xff\x00"),
)
