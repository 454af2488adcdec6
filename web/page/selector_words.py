"""A selector in words: where in a request something stands."""

import re

from web.page.words import t

_JOIN = re.compile(r"\+(?=(?:header|json|form|query|xml|jwt|const):)")


def in_words(selector: str) -> str:
    """`header:x-id|json:/order/id` as "the header X-Id, or order › id in the JSON body"; empty for none."""
    found = [_joined(part) for part in selector.split("|") if part not in ("", "none")]
    return t("touchpoints.place.or").join(found)


def _joined(part: str) -> str:
    return t("touchpoints.place.and").join(_one(one) for one in _JOIN.split(part))


def _one(part: str) -> str:
    kind, _, name = part.partition(":")
    first, inner, rest = name.partition(">")
    match kind:
        case "header" if inner:
            return t("touchpoints.place.inside", inner=_rest(rest), outer=_one(f"header:{first}"))
        case "header":
            return t("touchpoints.place.header", name="-".join(word.capitalize() for word in name.split("-")))
        case "json" | "jwt" | "xml" if inner:
            return t("touchpoints.place.inside", inner=_rest(rest), outer=_one(f"{kind}:{first}"))
        case "json" if name:
            return t("touchpoints.place.json", name=_path(name))
        case "jwt" | "xml":
            return t(f"touchpoints.place.{kind}", name=_path(name.replace("@", "/") if kind == "xml" else name))
        case "form" if inner:
            return t("touchpoints.place.form_json", name=_rest(rest), field=first)
        case "form" | "query":
            return t(f"touchpoints.place.{kind}", name=name)
        case "body":
            return t("touchpoints.place.body")
    return part


def _rest(steps: str) -> str:
    """What stands inside a text: a path, perhaps behind an encoding that concerns nobody here."""
    last = steps.rpartition(">")[2]
    return _path(last.removeprefix("xml:").replace("@", "/") if last.startswith("xml:") else last)


def _path(pointer: str) -> str:
    names = [name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:]]
    return " › ".join(t("touchpoints.place.each") if name == "*" else name for name in names)
