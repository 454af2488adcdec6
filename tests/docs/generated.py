"""The generated parts of the documents, made from the code that they describe."""

import asyncio
import json
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from litestar import Litestar

from appliance.stopped import open_stopped
from store.server_definition import ALL_SERVER_SETTINGS, SERVER_SECTIONS
from store.settings_definition import ALL_SETTINGS, SECTIONS
from tests.docs import reliability
from tests.docs.catalogue import catalogue
from tests.docs.markdown import code, table
from tests.touchpoints.pull import vectors as pull_vectors
from touchpoints.problem import catalogue as problem_words
from web.guard import administers, operates

_PARTS = {
    "deliver": "A delivery failed",
    "verify": "A sender was refused",
    "keys": "Keys of senders, and keys that they publish",
    "handshake": "Challenges and handshakes",
    "diagnosis": "What a refused request lacked",
    "config": "The configuration",
    "listener": "The public port and its certificate",
    "proxy": "Pairing, proxy domains and the pull protocol",
    "pull": "The agent's way to a hosted proxy",
    "organisations": "The organisations of a hosted proxy",
    "hosted": "A hosted proxy, to its agents and its operator",
    "agent": "The agent and its data folder",
    "store": "The database files",
    "alerts": "Alerts",
    "backup": "Backups",
    "api": "Commands and the JSON API",
    "page": "The page: setup, sign-in and forms",
}
_OWN_TABLES = ("verify", "dedup", "retry")
_TITLES = {
    "touchpoint.destination (http)": '[[touchpoint.destination]] with kind = "http"',
    "touchpoint.destination (folder)": '[[touchpoint.destination]] with kind = "folder"',
}


def settings() -> str:
    """Every setting, a table for each part of the file."""
    return setting_tables(ALL_SETTINGS)


def proxy() -> str:
    """The settings of a hosted proxy, and its JSON API."""
    rows = table(("Path", "Scope", "What it does"), sorted(_rows(api(proxy=True))))
    return f"{setting_tables(ALL_SERVER_SETTINGS)}\n\n## The JSON API's paths\n\n{rows}"


def setting_tables(settings: Iterable[tuple[str, str, Any, str]]) -> str:
    """Settings, a table for each part of the file."""
    groups: dict[str, list[tuple[str, str, str, str]]] = {}
    for path, kind, default, meaning in settings:
        group, key = _group(path)
        groups.setdefault(group, []).append((code(key), kind, _default(default), meaning))
    heads = ("Setting", "What it is", "Default", "Meaning")
    return "\n\n".join(f"### {_title(group)}\n\n{table(heads, rows)}" for group, rows in groups.items())


def _group(path: str) -> tuple[str, str]:
    """The table of the file that a setting stands in, and its key there."""
    for group in _TITLES:
        if path.startswith(f"{group}."):
            return group, path[len(group) + 1 :]
    first, _, rest = path.partition(".")
    inner = rest.partition(".")[0]
    if first == "touchpoint" and inner in _OWN_TABLES:
        return f"touchpoint.{inner}", rest[len(inner) + 1 :]
    return first, rest


def _title(group: str) -> str:
    if group in SECTIONS or group in SERVER_SECTIONS or "." in group:
        return _TITLES.get(group, f"[{group}]")
    return f"[[{group}]]"


def _default(default: Any) -> str:
    return "none" if default is None else code(json.dumps(default, ensure_ascii=False))


def problems() -> str:
    """Every problem with its words, by part."""
    parts = {file.stem: file for file in (Path(__file__).parents[2] / "touchpoints" / "problems").glob("*.toml")}
    missing = parts.keys() ^ _PARTS.keys()
    if missing:
        raise ValueError(f"name these parts in tests/docs/generated.py: {sorted(missing)}")
    return "\n\n".join(f"## {title}\n\n{_part(parts[part])}" for part, title in _PARTS.items())


def _part(file: Path) -> str:
    words = problem_words()
    codes = tomllib.loads(file.read_text(encoding="utf-8"))
    return "\n\n".join(
        f"### {name}\n\n{_words(words[name]['text'])}\n{_words(words[name].get('mend', ''))}".rstrip() for name in codes
    )


def _words(text: str) -> str:
    """A template's text, its fields shown as such."""
    return text.replace("{", "‹").replace("}", "›").replace(":g›", "›").replace("|", "\\|").replace("<", "\\<")


def endpoints() -> str:
    """Every path of the API with the scope that it needs."""
    return table(("Path", "Scope", "What it does"), sorted(_rows(api())))


def api(*, proxy: bool = False) -> Litestar:
    """The API's application, of an agent or a proxy, over an empty data folder."""

    async def made() -> Litestar:
        with tempfile.TemporaryDirectory() as folder:
            async with open_stopped(Path(folder) / "data", proxy=proxy) as (app, _):
                return app

    return asyncio.run(made())


def _rows(app: Litestar) -> Iterator[tuple[str, str, str]]:
    for path, item in (app.openapi_schema.paths or {}).items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            operation = getattr(item, method.lower())
            if operation is not None:
                yield code(f"{method} {path}"), _scope(app, path, method), str(operation.summary)


def _scope(app: Litestar, path: str, method: str) -> str:
    if path == "/health":
        return "none"
    wanted = path.replace("}", ":str}")
    for route in app.routes:
        if route.path != wanted:
            continue
        for handler in getattr(route, "route_handlers", []):
            if method in handler.http_methods:
                guards = [getattr(guard, "func", guard) for guard in handler.resolve_guards()]
                return "admin" if administers in guards else "operate" if operates in guards else "read"
    raise ValueError(f"no route for {method} {path}")


GENERATED: dict[str, Callable[[], str]] = {
    "configuration.md": settings,
    "pull-protocol.md": pull_vectors.document,
    "providers.md": catalogue,
    "problems.md": problems,
    "api.md": endpoints,
    "proxy.md": proxy,
    "reliability.md": reliability.by_case,
    "../README.md": reliability.by_group,
}
