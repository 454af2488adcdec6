"""A selector in words: where in a request something stands."""

from web.page.words import t


def in_words(selector: str) -> str:
    """`header:x-id|json:/order/id` as "the header X-Id, or order › id in the JSON body"; empty for none."""
    found = [_one(part) for part in selector.split("|") if part not in ("", "none")]
    return t("touchpoints.place.or").join(found)


def _one(part: str) -> str:
    kind, _, name = part.partition(":")
    match kind:
        case "header":
            return t("touchpoints.place.header", name="-".join(word.capitalize() for word in name.split("-")))
        case "json" if name:
            return t("touchpoints.place.json", name=_path(name))
        case "form" if ">" in name:
            field, _, pointer = name.partition(">")
            return t("touchpoints.place.form_json", name=_path(pointer), field=field)
        case "form" | "query":
            return t(f"touchpoints.place.{kind}", name=name)
        case "body":
            return t("touchpoints.place.body")
    return part


def _path(pointer: str) -> str:
    return " › ".join(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])
