"""The proxy's configuration as a document: merged key by key, compared, written as TOML; `store.document` does an agent's."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from store.configuration import Change, Document
from store.document import keep_passphrase, merge_value, setting_line, table_leaves, table_toml, tables_of
from store.server_definition import ORGANISATION, SERVER_SECTIONS
from touchpoints.definition import table_path
from touchpoints.size import format_size, parse_size


def merge_server(stored: Document, new: Mapping[str, Any], *, prune: bool) -> Document:
    """What is stored after a file: key by key, organisations by name. Neither argument is changed.

    With `prune` the new document is the whole truth, but for the passphrase of backups that it leaves out. Wrong values are
    carried along for the reading to report.
    """
    merged: Document = {} if prune else {key: table for key, table in stored.items() if key != "organisation"}
    for key, value in new.items():
        if key != "organisation":
            merged[key] = merge_value(merged.get(key), value)
    if prune:
        keep_passphrase(stored, merged)
    items = new.get("organisation", [])
    merged["organisation"] = _merge_organisations(stored, items, prune) if isinstance(items, list) else items
    return deepcopy(merged)


def _merge_organisations(stored: Document, new: list[Any], prune: bool) -> list[Any]:
    old = {item["name"]: item for item in stored.get("organisation", [])}
    merged: dict[str, Any] = {} if prune else dict(old)
    seen: set[str] = set()
    added: list[Any] = []
    for item in new:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or name in seen:
            added.append(item)  # the reading tells
            continue
        seen.add(name)
        merged[name] = item if prune else merge_value(old.get(name, {}), item)
    return [*merged.values(), *added]


def server_made_absolute(document: Document, base: Path) -> Document:
    """A copy whose certificate and key files, and folder for backups, are named from the root, wherever it came from."""
    document = deepcopy(document)
    pair = ("tls_certificate", "tls_key")
    for section, keys in (("server", pair), ("page", pair), ("backup", ("folder",))):
        table = document.get(section)
        for key in keys:
            if isinstance(table, dict) and isinstance(table.get(key), str) and table[key] and "\0" not in table[key]:
                table[key] = str(base / table[key])
    return document


def server_leaves(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(path, value) of every key; organisations by name."""
    for section in SERVER_SECTIONS:
        yield from table_leaves(section, document.get(section))
    for index, item in enumerate(tables_of(document.get("organisation"))):
        yield from table_leaves(table_path("organisation", item, index), item)


def compare_server(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between two checked documents, in order."""
    before, after = dict(server_leaves(old)), dict(server_leaves(new))
    changes = [
        Change(path=path, what="changed" if path in before else "added")
        for path, value in after.items()
        if path not in before or _same(before[path]) != _same(value)
    ]
    return (*changes, *(Change(path=path, what="removed") for path in before if path not in after))


def _same(value: Any) -> Any:
    """A size in whatever words it was written; other texts stay as they are."""
    try:
        return parse_size(value) if isinstance(value, str) else value
    except ValueError:
        return value


def server_toml(document: Document) -> str:
    """A checked document as TOML; settings at their default stand there as comments."""
    parts = []
    for section, settings in SERVER_SECTIONS.items():
        table = document.get(section, {})
        lines = [setting_line(setting, table) for setting in settings if setting.name in table or setting.default is not None]
        parts.append("\n".join([f"[{section}]", *lines]) + "\n")
    items = document.get("organisation", [])
    parts += ["[[organisation]]\n" + table_toml("organisation", _written(item), ORGANISATION) for item in items]
    return "\n".join(parts)


def _written(item: Mapping[str, Any]) -> dict[str, Any]:
    """An organisation with its size as people write it."""
    size = item.get("quota_bytes")
    return {**item, "quota_bytes": format_size(size)} if type(size) is int else dict(item)
