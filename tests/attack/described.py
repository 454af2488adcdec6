"""Schemathesis over an API as its own description says it: every check it has, with a token of scope admin.

The application is the real one over a data folder of its own, without a listener; whatever it would connect to is a closed
port of loopback.
"""

import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.python.asgi import shutdown_lifespans

from appliance.agent_role import AGENT
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.logs import Redactor
from appliance.proxy.server import PROXY
from store.people import Scope as Right
from tests.attack.furniture import furnish
from web.guard_token import token_digest

TOKEN = "admin-token-of-the-described-calls"
DESCRIPTION = "/api/v1/openapi.json"
_WHOLE = re.compile(r"-?[0-9]+(\.0*)?")
_NOWHERE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:1")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Served:
    """A role's local application, opened and closed by the lifespan of whoever calls it, in that event loop."""

    folder: Path
    proxy: bool
    calls: int = 0
    _app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. The Host is loopback's, as every caller's is that the gate lets in."""
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        self.calls += 1
        headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope = {**scope, "headers": [(b"host", b"127.0.0.1"), *headers]}
        return cast(None, await self._app(scope, receive, send))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        kind = PROXY if self.proxy else AGENT
        role = await kind.open(DataFolder(path=self.folder), clock := Clock(), _NOWHERE, Redactor())
        try:
            await role.load()
            await role.opened.people.add_token("described", Right.ADMIN, token_digest(TOKEN), now=clock.now())
            self._app = role.local
            await furnish(role.local, role.machine_token, proxy=self.proxy)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        finally:
            await role.opened.close()
        await send({"type": "lifespan.shutdown.complete"})


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What the checks found: operation, check and the request that shows it."""

    calls: int = 0
    operations: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)


def examine(folder: Path, *, proxy: bool, examples: int, seconds: float | None = None, seed: int = 7) -> Outcome:
    """Every operation of the description, at its edges, at random so often, and in sequences of calls; `seconds` ends it early.

    The same arguments make the same calls, unless it is ended early.
    """
    found = Outcome()
    served = Served(folder=folder, proxy=proxy)
    with _at_home(folder):
        schema = schemathesis.openapi.from_asgi(DESCRIPTION, served, config=_config(seconds, examples, seed), headers=_admin())
        for event in from_schema(schema).execute():
            _note(event, found)
    found.calls = served.calls
    return found


@contextmanager
def _at_home(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.chdir(folder.parent)  # what the library keeps on disk, it keeps where it runs
    try:
        with patch.dict(os.environ, _NOWHERE):
            yield
    finally:
        shutdown_lifespans()
        os.chdir(before)


def _admin() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}


def _config(seconds: float | None, examples: int, seed: int) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            **({} if seconds is None else {"max-time": seconds}),
            "continue-on-failure": True,
            "headers": _admin(),
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
            "checks": {"enabled": True},
            "dictionaries": {"names": {"values": ["orders"]}},
            "parameters": {"name": {"dictionary": "names", "probability": 0.5}},
        }
    )


def _note(event: object, found: Outcome) -> None:
    match event:
        case events.ScenarioFinished(recorder=recorder, status=status):
            found.operations.add(str(recorder.label))
            if status is Status.FAILURE:
                _failures(recorder, found)
        case events.NonFatalError() | events.FatalError():
            why = event.info.format() if isinstance(event, events.NonFatalError) else repr(event.exception)
            found.failures[f"error {getattr(event, 'label', '')}"] = why


def _failures(recorder: Any, found: Outcome) -> None:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            case = recorder.cases[case_id].value
            exchange = recorder.interactions[case_id]
            if check.name == "positive_data_acceptance" and _speaks_of_meaning(exchange.response):
                continue
            if check.name == "negative_data_rejection" and _is_right_as_sent(case, exchange.request):
                continue
            key = f"{case.operation.label}: {check.name}"
            failure = check.failure_info.failure
            found.failures.setdefault(key, f"{failure.title}: {failure.message}\n{check.failure_info.code_sample}")


def _speaks_of_meaning(response: Any) -> bool:
    """Whether what fits the description was refused for what it means, which no description can say: a file that does not hold,
    a name that is taken, a time that none is. Whatever is called a bad request must not have fitted.
    """
    if response is None or response.status_code not in (400, 422):
        return False
    codes = {one["code"] for one in json.loads(response.content)["problems"]}
    return not codes & {"bad_request", "unknown_parameter", "request_too_large", "internal_error"}


def _is_right_as_sent(case: Any, request: Any) -> bool:
    """Whether a query that was meant to be wrong is right once it is text: a list of one number is written like a number."""
    if request.body:
        return False
    declared = {
        one["name"]: one["schema"] for one in case.operation.definition.raw.get("parameters", ()) if one["in"] == "query"
    }
    sent = parse_qsl(urlsplit(request.uri).query, keep_blank_values=True)
    return all(name in declared and _fits(value, declared[name]) for name, value in sent)


def _fits(text: str, schema: Mapping[str, Any]) -> bool:
    match schema["type"]:
        case "integer":
            return bool(_WHOLE.fullmatch(text) and schema["minimum"] <= float(text) <= schema["maximum"])
        case "boolean":
            return text in ("true", "false", "0", "1")
        case "string":
            return text in schema.get("enum", (text,)) and len(text) <= schema.get("maxLength", len(text))
    return bool(schema["type"] == "array")
