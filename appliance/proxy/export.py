"""The export of one organisation, as JSON Lines: what it is, its agents, its declaration, and its events, which stay sealed."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import orjson

from store.organisations import Organisation, Organisations
from store.queue import Queue
from touchpoints.moment import rfc3339
from touchpoints.pull.body import encode


async def export_lines(organisation: Organisation, organisations: Organisations, queue: Queue | None) -> AsyncIterator[bytes]:
    """One object a line, each with its `kind`: organisation, agent, declaration, key, event. Bytes are Base64."""
    yield _line(
        kind="organisation",
        id=organisation.id,
        name=organisation.name,
        created_at=rfc3339(organisation.created_at),
        quota_events=organisation.quota_events,
        quota_bytes=organisation.quota_bytes,
        sealing_key=_text(organisation.sealing_key or b""),
        recovery_box=_text(organisation.recovery_box),
    )
    for agent in await organisations.agents(organisation.id):
        yield _line(
            kind="agent",
            id=agent.id,
            name=agent.name,
            state=agent.state,
            fingerprint=agent.fingerprint,
            version=agent.version,
            paired_at=rfc3339(agent.paired_at),
            last_seen_at=rfc3339(agent.last_seen_at),
        )
    digest, declaration = await organisations.declaration(organisation.id)
    yield _line(kind="declaration", digest=digest, declaration=orjson.Fragment(encode(declaration)))
    if queue is None:
        return
    told: set[str] = set()
    async for found in queue.export(organisation.id):
        for key_id, wrapped in found.keys.items():
            if key_id not in told:
                told.add(key_id)
                yield _line(kind="key", id=key_id, wrapped=_text(wrapped))
        for message in found.messages:
            yield _line(
                kind="event",
                seq=message.seq,
                id=message.id,
                received_at=rfc3339(message.received_at),
                key_id=message.key_id,
                sha256=message.digest.hex(),
                data=_text(message.data),
            )


def _line(**values: Any) -> bytes:
    return orjson.dumps(values) + b"\n"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
