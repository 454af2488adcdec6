"""Redaction: no secret in clear leaves by a log, an error or a list."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from store.server_settings import ServerConfiguration
from store.settings import AlertSettings, Configuration
from touchpoints.definition_secret import is_sensitive, secret_spans
from touchpoints.touchpoint import HttpDestination

HIDDEN = "[secret]"
_SHORTEST = 6  # a shorter text would stand in too much that is harmless


@dataclass(frozen=True, slots=True)
class Redaction:
    """Replaces known secrets wherever they stand in a text, as they are and as a URL writes them."""

    pattern: re.Pattern[str] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, secrets: Iterable[str]) -> "Redaction":
        """A redaction of these secrets; the longest is replaced first, since one may stand within another."""
        forms = {form for secret in secrets for form in (secret, quote(secret, safe="", errors="replace"), unquote(secret))}
        wanted = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)
        return cls(re.compile("|".join(map(re.escape, wanted))) if wanted else None)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        return self.pattern.sub(HIDDEN, text) if self.pattern else text


def secrets_of(configuration: Configuration | ServerConfiguration) -> Iterator[str]:
    """Every secret of a configuration, an agent's or a proxy's, in clear, for a Redaction."""
    yield configuration.backup.passphrase
    if isinstance(configuration, ServerConfiguration):
        return
    yield from secrets_of_alerts(configuration.alerts)
    for touchpoint in configuration.touchpoints:
        yield from touchpoint.secrets
        yield touchpoint.verify_token
        for destination in touchpoint.destinations:
            if isinstance(destination, HttpDestination):
                yield from secrets_of_http(destination)


def secrets_of_alerts(alerts: AlertSettings) -> Iterator[str]:
    """Every secret of the alerts; a chat's webhook lets in whoever knows its path."""
    yield alerts.smtp_password
    yield alerts.webhook_secret
    yield alerts.webhook_url
    yield alerts.webhook_url.partition("://")[2].partition("/")[2]


def secrets_of_http(destination: HttpDestination) -> Iterator[str]:
    """Every secret of an HTTP destination."""
    yield destination.sign
    yield destination.auth.secret if destination.auth else ""
    yield from (value for name, value in destination.headers if is_sensitive(name))
    yield from (value for _, value in destination.query)
    for url in (destination.url, destination.proxy):
        yield from (url[start:end] for start, end in secret_spans(url))


def without_secrets(url: str) -> str:
    """A URL to be shown: user, password and telling parameters hidden."""
    for start, end in reversed(secret_spans(url)):
        url = url[:start] + HIDDEN + url[end:]
    return url
