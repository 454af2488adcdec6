"""How an agent can stand at a proxy: every state that a screen can show."""

from dataclasses import replace

from tests.web.api.stand_in import NOW
from touchpoints.moment import HOUR, MINUTE, SECOND, Micros
from touchpoints.problem import problem
from touchpoints.pull.call import State, StateAgent
from touchpoints.pull.message import Backlog
from touchpoints.pull.pairing import fingerprint
from web.membership import Closing, Standing

CODE = "7K3P-0F2M-9XQA-4D6T-R8VW"
RECOVERY_KEY = "8F2M-4D6T-R8VW-9XQA-7K3P-0F2M-CD5E-ZZ01"
ME = StateAgent(
    id="me", name="shop-server", state="ready", signing_key=b"1" * 32, exchange_key=b"2" * 32, version="1.0", holds_lease=True
)
OTHER = replace(ME, id="other", name="spare", signing_key=b"3" * 32, holds_lease=False)
PAIRED = Standing(
    state="connected",
    paired=True,
    url="https://proxy.example.net",
    domain="acme",
    host="acme.proxy.example.net",
    agent_id=ME.id,
    agent_name=ME.name,
    fingerprint=fingerprint(ME.signing_key, ME.exchange_key),
    last_poll_at=NOW - 2 * SECOND,
)
STATE = State(
    organisation=1,
    domain="acme",
    incarnation="i",
    acknowledged=40,
    next_seq=41,
    agents=(ME,),
    quota_events=1_000_000,
    quota_bytes=1024**3,
)


def print_of(agent: StateAgent) -> str:
    """The fingerprint that a person compares."""
    return fingerprint(agent.signing_key, agent.exchange_key)


def standings(now: Micros = NOW) -> dict[str, tuple[Standing, State]]:
    """Every state that a screen can show, by name."""
    waits = Backlog(events=1234, bytes=5_000_000, oldest=now - 40 * MINUTE)
    paired = replace(PAIRED, last_poll_at=now - 2 * SECOND)
    down = replace(paired, state="down", problem=problem("proxy_unreachable", why="the name cannot be found"), backlog=waits)
    newcomer = replace(OTHER, name="replacement", state="waiting", last_seen_at=now - MINUTE)
    lost = replace(OTHER, name="lost-machine", unsettled=3, last_seen_at=now - 5 * HOUR, lacking=("orders", "payments"))
    revoked = replace(lost, id="gone", name="old-server", state="revoked", signing_key=b"4" * 32)
    whole = replace(
        STATE, agents=(ME, newcomer, replace(lost, signing_key=b"5" * 32), revoked), backlog=waits, quota_events=1500
    )
    troubled = replace(
        paired,
        backlog=waits,
        notices=("quota_near", "proxy_restored"),
        gap=(38, 40),
        behind=(40, 47),
        lacking=("payments",),
        unsettled=2,
        left=7,
    )
    closing = Closing(since=now - 5 * HOUR, used_at=now - 3 * HOUR, closes_at=now + 21 * HOUR)
    standby = replace(paired, state="standby", holder="spare")
    waiting = replace(paired, state="waiting_key", last_poll_at=0)
    return {
        "off": (replace(paired, state="off", last_poll_at=0), STATE),
        "connecting": (replace(paired, state="connecting", last_poll_at=0), STATE),
        "connected": (paired, STATE),
        "standby": (standby, replace(STATE, agents=(replace(ME, holds_lease=False), replace(OTHER, holds_lease=True)))),
        "waiting-key": (waiting, replace(STATE, agents=(replace(ME, state="waiting", holds_lease=False), OTHER))),
        "paused": (replace(paired, state="paused", problem=problem("proxy_store_waits", why="disk_low"), backlog=waits), STATE),
        "down": (down, STATE),
        "revoked": (replace(paired, state="revoked", problem=problem("proxy_revoked_us", why="replaced.")), STATE),
        "troubled": (troubled, whole),
        "direct-closing": (replace(paired, direct_closing=closing), STATE),
        "proxy-closing": (replace(paired, closing=replace(closing, used_at=0)), STATE),
    }
