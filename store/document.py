"""The configuration as a document: parsed from TOML, merged key by key, compared, and written as TOML again."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import tomli_w

from store.alerts_definition import ALERT_SECRETS
from store.configuration import Change, Document
from store.settings_definition import SECTIONS
from touchpoints.definition import TOUCHPOINT, table_path
from touchpoints.definition_destination import KINDS
from touchpoints.definition_secret import is_sensitive
from touchpoints.definition_setting import Setting, join
from touchpoints.problem import ProblemError, problem

LARGEST = 1024 * 1024
_MOST_NESTED = 32
# Texts whole (an unfinished one to its end), comments, names, blanks, and any other character by itself.
_PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"{3,5}+|\Z)|\'{3}.*?(?:\'{3,5}+|\Z)|"(?:\\.|[^"\\\n])*+"?|\'[^\'\n]*+\'?|#[^\n]*+|[\w-]++|[ \t]++|.',
    re.DOTALL,
)

# Where a table's key changes to another word, the table's other keys would mean something else: it is replaced whole.
_IDENTITY = {"auth": "type", "destination": "kind"}
# What only makes sense with one provider.
_OF_PROVIDER = ("verify", "credential", "handshake", "verify_token", "event_type", "reference", "split", "items", "dedup")


def parse(content: bytes) -> Document:
    """A file's content as a document. Raises ProblemError in words: not UTF-8, too large, no TOML (with its line)."""
    if len(content) > LARGEST:
        raise ProblemError(problem("document_too_large", largest=LARGEST // 1024))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(problem("document_not_utf8", line=content[: error.start].count(b"\n") + 1)) from None
    check_names(text)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProblemError(problem("toml_syntax", error=str(error)[:200])) from None
    except (ValueError, RecursionError):  # a date that is none, a number without end, brackets without end
        raise ProblemError(problem("toml_syntax", error="a value that no program can hold")) from None
    check_nesting(found)
    return found


def check_names(text: str) -> None:
    """Raise ProblemError(document_too_deep) for a dotted name of too many parts, on which the parser would spend minutes."""
    dots = 0
    for found in _PIECE.finditer(text):
        piece = found[0]
        if piece == ".":
            dots += 1
        elif not (piece[0] in "\"'_- \t" or piece[0].isalnum()):
            dots = 0
        if dots >= _MOST_NESTED:
            raise ProblemError(problem("document_too_deep", most=_MOST_NESTED))


def check_nesting(document: Mapping[str, Any]) -> None:
    """Raise ProblemError(document_too_deep) before anything walks down a document that goes on for thousands of levels."""
    level: list[Any] = [document]
    for _ in range(_MOST_NESTED):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise ProblemError(problem("document_too_deep", most=_MOST_NESTED))


def merge(stored: Document, new: Mapping[str, Any], *, prune: bool) -> Document:
    """What is stored after a file: key by key, lists whole, touchpoints and destinations by name. Neither argument is changed.

    With `prune` the new document is the whole truth, except that secrets it leaves out are kept. Wrong values are carried
    along, so that one reading of the result finds every problem.
    """
    merged: Document = {} if prune else {key: table for key, table in stored.items() if key != "touchpoint"}
    for key, value in new.items():
        if key != "touchpoint":
            merged[key] = merge_value(merged.get(key), value)
    if prune and isinstance(merged.get("alerts"), dict):
        merged["alerts"] = {**alert_secrets(stored.get("alerts", {}), merged["alerts"]), **merged["alerts"]}
    if prune:
        keep_passphrase(stored, merged)
    old, touchpoints = stored.get("touchpoint", []), new.get("touchpoint", [])
    merged["touchpoint"] = merge_touchpoints(old, touchpoints, prune) if isinstance(touchpoints, list) else touchpoints
    return deepcopy(merged)


def keep_passphrase(stored: Document, merged: Document) -> None:
    """A file that leaves the passphrase of backups out keeps it, also one that says nothing of them: they are made anyway."""
    passphrase, table = stored.get("backup", {}).get("passphrase"), merged.get("backup", {})
    if passphrase and isinstance(table, dict):
        merged["backup"] = {"passphrase": passphrase, **table}


def alert_secrets(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The secrets of `[alerts]` that still mean something beside what a file says of it."""
    needs_none = {"smtp_password": not new.get("smtp_user"), "webhook_secret": new.get("webhook_shape") in {"slack", "teams"}}
    return {key: old[key] for key in ALERT_SECRETS if key in old and not needs_none.get(key)}


def merge_value(old: Any, new: Any) -> Any:
    """Two tables are merged; anything else is replaced."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    merged = dict(old)
    for key, value in new.items():
        same = key not in _IDENTITY or not isinstance(value, dict) or keeps_identity(merged.get(key), value, _IDENTITY[key])
        merged[key] = merge_value(merged.get(key), value) if same else value
    return merged


def keeps_identity(old: Any, new: Mapping[str, Any], key: str) -> bool:
    """Whether a table stays the same sort of thing."""
    return isinstance(old, dict) and new.get(key, old.get(key)) == old.get(key)


def merge_touchpoints(stored: list[dict[str, Any]], new: list[Any], prune: bool) -> list[Any]:
    """Touchpoints by name; one that a file calls by its alias, or that a file's touchpoint has as alias, is the same one."""
    listed = {item.get("name") for item in new if isinstance(item, dict) and isinstance(item.get("name"), str)}
    matches = [match_touchpoint(stored, item, listed) for item in new]
    merged: dict[int, Any] = {} if prune else dict(enumerate(stored))
    added: list[Any] = []
    for item, match in zip(new, matches, strict=True):
        if match is None:
            added.append(merge_touchpoint({}, item, prune=False))
        elif matches.count(match) > 1 and match in merged and merged[match] is not stored[match]:
            added.append(item)  # named twice in the file: the reading tells
        else:
            merged[match] = merge_touchpoint(stored[match], item, prune=prune)
    return [merged[index] for index in sorted(merged)] + added


def match_touchpoint(stored: list[dict[str, Any]], item: Any, listed: set[Any]) -> int | None:
    """The place of the stored touchpoint that a file's table means, or None for a new one."""
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str):
        return None
    aliases = item.get("aliases")
    aliases = aliases if isinstance(aliases, list) else []
    for index, old in enumerate(stored):
        if old["name"] == name:
            return index
    for index, old in enumerate(stored):
        renamed = old["name"] in aliases
        if old["name"] not in listed and (renamed or name in old.get("aliases", [])):
            return index
    return None


def merge_touchpoint(old: dict[str, Any], item: Any, *, prune: bool) -> Any:
    """One touchpoint; under `prune` only the secrets of the old one stay."""
    if not isinstance(item, dict):
        return item
    kept = {key: value for key, value in old.items() if not changes_provider(old, item) or key not in _OF_PROVIDER}
    destinations = kept.pop("destination", [])
    base = {key: kept[key] for key in ("secrets", "verify_token") if key in kept} if prune else kept
    merged = merge_value(base, {key: value for key, value in item.items() if key != "destination"})
    keep_name(merged, old, item["name"] if old else "")
    new = item.get("destination", [])
    merged["destination"] = merge_destinations(destinations, new, prune) if isinstance(new, list) else new
    return merged


def keep_name(merged: dict[str, Any], old: Mapping[str, Any], called: str) -> None:
    """A touchpoint that a file calls by its alias keeps its name and that alias, unless the file makes the name an alias."""
    aliases = merged.get("aliases", [])
    if called in old.get("aliases", []) and isinstance(aliases, list) and old["name"] not in aliases:
        merged["name"] = old["name"]
        merged["aliases"] = aliases if called in aliases else [*aliases, called]


def changes_provider(old: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Whether another web application sends from now on."""
    return bool(old) and item.get("provider", old.get("provider")) != old.get("provider")


def merge_destinations(stored: list[dict[str, Any]], new: list[Any], prune: bool) -> list[Any]:
    """Destinations by name, which is the kind where it is left out."""
    merged: dict[str, Any] = {} if prune else {old["name"]: old for old in stored}
    by_name = {old["name"]: old for old in stored}
    seen: set[str] = set()
    added: list[Any] = []
    for item in new:
        named = item.get("name") or item.get("kind") if isinstance(item, dict) else None
        if not isinstance(named, str) or named in seen:
            added.append(item)
            continue
        seen.add(named)
        old = by_name.get(named, {})
        if not keeps_identity(old, item, _IDENTITY["destination"]):
            old = {}
        merged[named] = {"name": named, **merge_value(only_secrets(old) if prune else old, item)}
        merged[named]["name"] = named
    return [*merged.values(), *added]


def only_secrets(destination: Mapping[str, Any]) -> dict[str, Any]:
    """The secrets of a destination, with what they cannot stand without."""
    kept = {key: destination[key] for key in ("sign", "auth", "query") if key in destination}
    headers = {name: value for name, value in destination.get("headers", {}).items() if is_sensitive(name)}
    return {**kept, "headers": headers} if headers else kept


def made_absolute(document: Document, base: Path) -> Document:
    """A copy whose certificate, key and CA files are named from the root, wherever the document came from."""
    document = deepcopy(document)
    pair = ("tls_certificate", "tls_key")
    tables: list[tuple[Any, tuple[str, ...]]] = [
        (document.get("agent"), (*pair, "tls_client_ca")),
        (document.get("page"), pair),
    ]
    tables += [(document.get("alerts"), ("smtp_ca",)), (document.get("backup"), ("folder",))]
    for touchpoint in tables_of(document.get("touchpoint")):
        tables += [(destination, ("ca",)) for destination in tables_of(touchpoint.get("destination"))]
    for table, keys in tables:
        for key in keys:
            if isinstance(table, dict) and isinstance(table.get(key), str) and table[key] and "\0" not in table[key]:
                table[key] = str(base / table[key])
    return document


def tables_of(items: Any) -> list[dict[str, Any]]:
    """The tables in what should be a list of tables."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def leaves(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(path, value) of every key; touchpoints and destinations by name. What is no table has no keys."""
    for section in SECTIONS:
        yield from table_leaves(section, document.get(section))
    for index, touchpoint in enumerate(tables_of(document.get("touchpoint"))):
        yield from table_leaves(table_path("touchpoint", touchpoint, index), touchpoint)


def table_leaves(path: str, table: Any) -> Iterator[tuple[str, Any]]:
    """(path, value) of every key of a table and the tables in it."""
    for key, value in table.items() if isinstance(table, dict) else ():
        if key == "destination":
            for index, destination in enumerate(tables_of(value)):
                yield from table_leaves(table_path(f"{path}.destination", destination, index), destination)
        elif isinstance(value, dict):
            yield from table_leaves(join(path, key), value)
        else:
            yield join(path, key), value


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between two checked documents, in order; no value is named, since values may be secret."""
    before, after = dict(leaves(old)), dict(leaves(new))
    changes = [
        Change(path=path, what="changed" if path in before else "added")
        for path, value in after.items()
        if path not in before or before[path] != value
    ]
    return (*changes, *(Change(path=path, what="removed") for path in before if path not in after))


def to_toml(document: Document) -> str:
    """A checked document as TOML; settings at their default stand there as comments."""
    parts = []
    for section, settings in SECTIONS.items():
        table = document.get(section, {})
        lines = [setting_line(setting, table) for setting in settings if setting.name in table or setting.default is not None]
        parts.append("\n".join([f"[{section}]", *lines]) + "\n")
    for touchpoint in document.get("touchpoint", []):
        parts.append("[[touchpoint]]\n" + table_toml("touchpoint", touchpoint, TOUCHPOINT))
        destinations = touchpoint.get("destination", [])
        for item in destinations:
            parts += ["[[touchpoint.destination]]\n" + table_toml("touchpoint.destination", item, KINDS[item["kind"]])]
    return "\n".join(parts)


def setting_line(setting: Setting, table: Mapping[str, Any]) -> str:
    """A setting's line, a comment where it is at its default."""
    if setting.name in table:
        return tomli_w.dumps({setting.name: table[setting.name]}).rstrip()
    return f"# {tomli_w.dumps({setting.name: setting.default})}".rstrip()


def table_toml(path: str, table: Mapping[str, Any], settings: Sequence[Setting]) -> str:
    """A table's own keys in the order of its settings, then the tables in it."""
    given = {setting.name: table[setting.name] for setting in settings if setting.name in table}
    text = tomli_w.dumps({key: value for key, value in given.items() if not isinstance(value, dict)})
    for key, value in given.items():
        if isinstance(value, dict):
            text += f"\n[{path}.{key}]\n{tomli_w.dumps(value)}"
    return text
