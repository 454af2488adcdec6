"""The entry: one setting as a field of a form, from its row in the definition; and a form's answer as a small document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from touchpoints.definition_destination import LINK_LOCAL
from touchpoints.definition_kind import FLAG, HEADERS, PATH, QUERY, SECRET, SECRETS
from touchpoints.definition_setting import Setting
from touchpoints.problem import Problem
from web.page.words import known, t

Json = dict[str, Any]
_STORED = "stored:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a setting stands in its table."""

    path: str  # verify.header
    setting: Setting

    @property
    def shape(self) -> str:
        """text | choice | check | lines | pairs | secret | file."""
        kind = self.setting.kind
        if kind in (HEADERS, QUERY):
            return "pairs"
        if kind is LINK_LOCAL or (kind is PATH and self.setting.name != "path"):
            return "file"  # what only a command on the machine sets
        if kind.label.startswith("a list"):
            return "lines"
        if kind.label.startswith("one of "):
            return "choice"
        return {FLAG.label: "check", SECRET.label: "secret"}.get(kind.label, "text")

    @property
    def options(self) -> list[str]:
        """The words of a choice."""
        return self.setting.kind.label.removeprefix("one of ").split(", ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field as the template draws it."""

    name: str
    shape: str
    label: str
    hint: str = ""
    unset: str = ""  # what stands for no value, where "none" would be untrue
    value: str = ""
    checked: bool = False
    options: Sequence[tuple[str, str]] = ()
    fingerprint: str = ""  # of the secret that is kept
    source: str = ""  # where that comes from
    error: str = ""


def places(settings: Sequence[Setting], path: str = "") -> dict[str, Place]:
    """Every setting of a table by its path, tables opened; lists of secrets have a form of their own."""
    found: dict[str, Place] = {}
    for setting in settings:
        here = f"{path}.{setting.name}" if path else setting.name
        if setting.kind.settings:
            found |= places(setting.kind.settings, here)
        elif setting.kind is not SECRETS:
            found[here] = Place(path=here, setting=setting)
    return found


def current(table: Mapping[str, Any], place: Place, defaults: Mapping[str, Any]) -> Any:
    """What stands in a stored table, else the default of its provider, else the setting's."""
    found: Any = table
    for key in place.path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if found is not None else defaults.get(place.path, place.setting.default)


def as_text(place: Place, value: Any) -> str:
    """A value as it stands in its field."""
    if value is None:
        return ""
    if place.shape == "lines" or isinstance(value, list | tuple):
        return "\n".join(value)
    if place.shape == "pairs":
        return "\n".join(f"{name}: {text}" for name, text in value.items() if text)
    if place.shape == "check":
        return "on" if value else ""
    return str(value)


def entries(
    group: Mapping[str, Place],
    table: Mapping[str, Any],
    *,
    form: str,
    words: str,
    defaults: Mapping[str, Any] | None = None,
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    sources: Mapping[str, str] | None = None,
) -> list[Entry]:
    """The fields of a form called `form`; `words` is where their labels stand. What was `given` stays, but for secrets."""
    return [
        _entry(
            place,
            current(table, place, defaults or {}),
            form,
            f"{words}.{path}",
            given,
            (errors or {}).get(path, ""),
            sources or {},
        )
        for path, place in group.items()
    ]


def _entry(
    place: Place,
    value: Any,
    form: str,
    words: str,
    given: Mapping[str, str] | None,
    error: str,
    sources: Mapping[str, str],
) -> Entry:
    name, text = f"{form}.{place.path}", as_text(place, value)
    around: dict[str, Any] = {
        "name": name,
        "shape": place.shape,
        "label": t(f"{words}.label"),
        "hint": _words(f"{words}.hint"),
        "unset": _words(f"{words}.unset"),
        "error": error,
    }
    if place.shape == "secret":
        fingerprint = text.removeprefix(_STORED)
        return Entry(**around, fingerprint=fingerprint, source=sources.get(fingerprint, ""))
    if given is not None and place.shape != "file":
        text = given.get(name, "" if place.shape == "check" else text)
    options = [(one, _words(f"{words}.options.{one}") or one) for one in place.options] if place.shape == "choice" else []
    if place.shape == "choice" and text not in place.options:
        options = [(text, t("settings.choose")), *options]
    return Entry(**around, value=text, checked=text == "on", options=options)


def _words(key: str) -> str:
    return t(key) if known(key) else ""


def changes(
    group: Mapping[str, Place],
    table: Mapping[str, Any],
    data: Mapping[str, str],
    *,
    form: str,
    defaults: Mapping[str, Any] | None = None,
) -> Json:
    """The small table of what a form changes; what only the file may set is never in it."""
    changed: Json = {}
    for path, place in group.items():
        name = f"{form}.{path}"
        if place.shape == "file" or (place.shape != "check" and name not in data and f"{name}.remove" not in data):
            continue
        before = current(table, place, defaults or {})
        after = _answered(place, data.get(name, ""), before, removed=f"{name}.remove" in data)
        if after is not None and after != before:
            _put(changed, path, after)
    return changed


def _answered(place: Place, raw: str, before: Any, *, removed: bool) -> Any:
    """A field's answer as a TOML value; None for a secret that stays."""
    text = raw.strip()
    if place.shape == "secret":
        return raw if text else ("" if removed and before else None)
    if place.shape == "check":
        return raw == "on"
    if place.shape == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if place.shape == "pairs":
        pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
        kept = {name.strip(): value.strip() for name, _, value in pairs}
        return {**dict.fromkeys(before or {}, ""), **kept}
    whole = text.removeprefix("-").isdigit() and text.isascii() and len(text) < 19
    return int(text) if whole and place.setting.kind.label.startswith(("a whole number", "a size")) else text


def _put(document: Json, path: str, value: Any) -> None:
    *tables, key = path.split(".")
    for name in tables:
        document = document.setdefault(name, {})
    document[key] = value


def placed(problems: Sequence[Problem], group: Mapping[str, Place], base: str) -> tuple[dict[str, str], list[Problem]]:
    """What is wrong, by the path of the field it belongs to; and what belongs to none. `base` is the table's own path."""
    errors: dict[str, str] = {}
    others: list[Problem] = []
    for one in problems:
        path = one.path.removeprefix(f"{base}.") if base else one.path
        where = next((name for name in group if path == name or path.startswith((f"{name}[", f"{name}."))), None)
        if where is None:
            others.append(one)
        else:
            errors[where] = f"{errors.get(where, '')} {one.text} {one.mend}".strip()
    return errors, others
