"""What the page says of a provider: what to paste, where that is found, and the steps in the provider's own settings."""

from dataclasses import dataclass

from markupsafe import Markup, escape

from touchpoints.provider import Provider
from web.page.words import catalogue, known, t

_PARTS = ("provider_a", "provider_b")  # in which files of words providers stand
_MOST_STEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderWords:
    """The words for one provider; where there are none of its own, those that fit everyone."""

    secret: str  # what to paste
    where: str  # where it is found
    steps: tuple[str, ...]  # what to do there, in order; {url} and {label} stand for the endpoint URL and the provider
    note: str = ""  # what is special about it


def provider_words(preset: Provider) -> ProviderWords:
    """The words for a provider."""
    return ProviderWords(
        secret=_own(preset.name, "secret") or _by_kind("hint", preset.secret),
        where=_own(preset.name, "where"),
        steps=_steps(preset.name) or tuple(catalogue()[f"provider.steps.{number}"] for number in (1, 2, 3)),
        note=_own(preset.name, "note"),
    )


def step_shown(step: str, label: str, url: str) -> Markup:
    """A step with the endpoint URL in it: where {url} stands, else at the end if it speaks of it. `url` may be markup."""
    text, spoken = str(escape(step)).replace("{label}", str(escape(label))), str(escape(t("provider.steps_url")))
    if "{url}" not in text and spoken.lower() in text.lower():
        text = f"{text} {{url}}"
    return Markup(text.replace("{url}", str(escape(url))))  # noqa: S704 - every part was escaped right here


def secret_label(preset: Provider) -> str:
    """What its secret is called."""
    return _by_kind("kind", preset.secret)


def secret_shape(preset: Provider) -> str:
    """How it is asked for: `password`, or in the open where it is no secret at all: `text`, `textarea`."""
    return {"public_key": "textarea", "topic": "text", "organisation": "text", "webhook_id": "text"}.get(
        preset.secret, "password"
    )


def unsure_words(preset: Provider, *, short: bool = False) -> str:
    """What was not found in the provider's own documents nor seen from it, in words; empty where all is sure."""
    table = "unsure_few" if short else "unsure"
    parts = [t(f"provider.{table}.{one}") if known(f"provider.{table}.{one}") else one for one in preset.unsure]
    return t("provider.unsure_short" if short else "provider.unsure_of", parts=t("provider.comma").join(parts)) if parts else ""


def unsure_tone(preset: Provider) -> str:
    """How much that matters: what decides about taking an event is a warning, the rest is worth knowing."""
    return "info" if {*preset.unsure} <= {"ack", "retry"} else "warn"


def _own(name: str, key: str) -> str:
    words = catalogue()
    return next((words[where] for part in _PARTS if (where := f"{part}.{name}.{key}") in words), "")


def _steps(name: str) -> tuple[str, ...]:
    found = (_own(name, f"steps.{number}") for number in range(1, _MOST_STEPS + 1))
    return tuple(step for step in found if step)


def _by_kind(table: str, kind: str) -> str:
    key = f"provider.{table}.{kind}"
    return t(key) if known(key) else t(f"provider.{table}.secret")
