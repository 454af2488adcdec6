"""A sender's values: what the templates tell of a provider, and what they ask a person for it."""

from typing import Any

from touchpoints.provider import Provider
from touchpoints.provider_settings import provider_settings
from web.page.provider_words import provider_words, secret_label, secret_shape, unsure_tone, unsure_words


def sender_values(preset: Provider) -> dict[str, Any]:
    """What the templates tell of a provider and ask for it."""
    return {
        "preset": preset,
        "words": provider_words(preset),
        "settings": provider_settings(preset),
        "secret_label": secret_label(preset),
        "secret_shape": secret_shape(preset),
        "unsure": unsure_words(preset),
        "unsure_tone": unsure_tone(preset),
    }
