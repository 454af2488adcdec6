"""Tenants of a hosted proxy, put straight into its folder: a busy one with an endpoint, and many with an agent that polls."""

import asyncio
import base64
import json
import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.proxy.opening import OpenedProxy, open_proxy_folder
from touchpoints.pull.declaration import Declaration, DeclaredToken, DeclaredTouchpoint, declaration_digest
from touchpoints.pull.key import exchange_public, new_exchange_key, new_signing_key, signing_public
from touchpoints.pull.token import endpoint_path, new_token, token_digest

BUSY = "busy"
TOUCHPOINT = "orders"

INSERT_ORGANISATION = "INSERT INTO organisations (id, name, sealing_key, created_at) VALUES (?, ?, ?, ?)"
INSERT_AGENT = """
INSERT INTO agents (id, organisation, name, signing_key, exchange_key, fingerprint, state, version, paired_at, last_seen_at)
VALUES (?, ?, 'front', ?, ?, 'bench', 'ready', '1.0', ?, ?)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenants:
    """What was put in: the path of the busy one's endpoint, and a file with the agents' ids and private keys."""

    path: str
    agents: Path
    count: int
    keys: dict[str, bytes] = field(repr=False)


def tenants(folder: Path, data: Path, *, count: int) -> Tenants:
    """Put them into a proxy's data folder that no process has open."""
    return asyncio.run(_tenants(folder, data, count))


async def _tenants(folder: Path, data: Path, count: int) -> Tenants:
    clock = Clock()
    opened = await open_proxy_folder(DataFolder(path=data), clock)
    try:
        path = await _busy(opened, clock)
        keys = {f"agent-{number}": new_signing_key(os.urandom) for number in range(count)}
        now = clock.now()

        def insert(db: sqlite3.Connection) -> None:
            public = exchange_public(new_exchange_key(os.urandom))
            db.execute("BEGIN IMMEDIATE")
            for number, (agent, key) in enumerate(keys.items(), 1000):
                db.execute(INSERT_ORGANISATION, (number, f"tenant-{number}", public, now))
                db.execute(INSERT_AGENT, (agent, number, signing_public(key), public, now, now))
            db.execute("COMMIT")

        await opened.database.run(insert)
    finally:
        await opened.close()
    agents = folder / "agents.json"
    agents.write_text(json.dumps({agent: base64.b64encode(key).decode() for agent, key in keys.items()}), encoding="utf-8")
    return Tenants(path=path, agents=agents, count=count, keys=keys)


async def _busy(opened: OpenedProxy, clock: Clock) -> str:
    """An organisation with one endpoint; its path."""
    now = clock.now()
    made = await opened.organisations.add(BUSY, quota_events=None, quota_bytes=None, actor="bench", now=now)
    sealing = exchange_public(new_exchange_key(os.urandom))

    def seal(db: sqlite3.Connection) -> None:
        db.execute("UPDATE organisations SET sealing_key = ? WHERE id = ?", (sealing, made.id))

    await opened.database.run(seal)
    token = new_token(os.urandom)
    touchpoint = DeclaredTouchpoint(name=TOUCHPOINT, tokens=(DeclaredToken(digest=token_digest(token), sealed=b"bench"),))
    declaration = Declaration(touchpoints=(touchpoint,))
    await opened.organisations.declare(made.id, declaration, digest=declaration_digest(declaration), overlap=0, now=now)
    return endpoint_path(BUSY, TOUCHPOINT, token)
