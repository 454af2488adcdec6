"""The places of a configuration document where secrets stand, and how they are exchanged there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from store.configuration import Document
from store.document import tables_of
from touchpoints.definition import table_path
from touchpoints.definition_destination import AUTH_SECRETS
from touchpoints.definition_secret import is_sensitive, secret_spans
from touchpoints.definition_setting import join


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One secret as it stands in a document."""

    path: str
    text: str
    whole: bool  # the whole value, which may be env:NAME or file:PATH; else a part of a URL
    reader: str = ""  # who gets to read it in clear, where anybody does


Exchange = Callable[[Secret], str]


def exchange_secrets(document: Document, exchange: Exchange) -> None:
    """Put in the place of every secret what `exchange` gives for it. Wrong values are left for the reading to report."""
    alerts = document.get("alerts")
    exchange_keys(alerts, ("smtp_password",), "alerts", exchange, mail_server_of(alerts))
    exchange_keys(alerts, ("webhook_url", "webhook_secret"), "alerts", exchange)
    exchange_keys(document.get("backup"), ("passphrase",), "backup", exchange)
    touchpoints = document.get("touchpoint")
    for index, touchpoint in enumerate(touchpoints if isinstance(touchpoints, list) else []):
        if isinstance(touchpoint, dict):
            path = table_path("touchpoint", touchpoint, index)
            exchange_all(touchpoint.get("secrets"), f"{path}.secrets", prover_of(touchpoint), exchange)
            exchange_keys(touchpoint, ("verify_token",), path, exchange)
            for destination in tables_of(touchpoint.get("destination")):
                exchange_in_destination(destination, table_path(f"{path}.destination", destination, 0), exchange)


def mail_server_of(alerts: Any) -> str:
    """Whom the password of the mail server is sent to."""
    return repr([alerts.get(key) for key in ("smtp_host", "smtp_port", "smtp_security")] if isinstance(alerts, dict) else None)


def prover_of(touchpoint: dict[str, Any]) -> str:
    """How a touchpoint's senders prove themselves: where they do it by the secret itself, a test event carries it along."""
    verify = touchpoint.get("verify")
    verify = verify if isinstance(verify, dict) else {}
    return repr((touchpoint.get("provider"), touchpoint.get("credential"), verify.get("scheme"), verify.get("header")))


def addressee_of(destination: dict[str, Any]) -> str:
    """Whom a destination's secrets are sent to."""
    return repr([_origin(destination.get(key)) for key in ("url", "proxy")])


def _origin(url: Any) -> Any:
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        return parts and (parts.scheme, parts.hostname, parts.port)
    except ValueError:
        return url


def exchange_all(secrets: Any, path: str, reader: str, exchange: Exchange) -> None:
    """Exchange every text in a list."""
    for index, text in enumerate(secrets if isinstance(secrets, list) else []):
        if isinstance(text, str) and text:
            secrets[index] = exchange(Secret(path=f"{path}[{index}]", text=text, whole=True, reader=reader))


def exchange_in_destination(destination: dict[str, Any], path: str, exchange: Exchange) -> None:
    """Exchange the secrets of one destination."""
    reader = addressee_of(destination)
    exchange_keys(destination, ("sign",), path, exchange)
    exchange_keys(destination.get("auth"), AUTH_SECRETS.values(), f"{path}.auth", exchange, reader)
    for key, is_secret in (("headers", is_sensitive), ("query", bool)):
        table = destination.get(key)
        if isinstance(table, dict):
            exchange_keys(table, [name for name in table if is_secret(name)], f"{path}.{key}", exchange, reader)
    for key in ("url", "proxy"):
        url = destination.get(key)
        if isinstance(url, str):
            destination[key] = exchange_in_url(url, f"{path}.{key}", exchange, reader)


def exchange_keys(table: Any, keys: Any, path: str, exchange: Exchange, reader: str = "") -> None:
    """Exchange the texts under some keys of a table."""
    for key in keys if isinstance(table, dict) else ():
        text = table.get(key)
        if isinstance(text, str) and text:
            table[key] = exchange(Secret(path=join(path, key), text=text, whole=True, reader=reader))


def exchange_in_url(url: str, path: str, exchange: Exchange, reader: str) -> str:
    """Exchange the secrets within a URL."""
    for start, end in reversed(secret_spans(url)):
        url = url[:start] + exchange(Secret(path=path, text=url[start:end], whole=False, reader=reader)) + url[end:]
    return url


def secret_texts(document: Document) -> Iterator[Secret]:
    """Every secret as it stands in a document; nothing is changed."""
    found: list[Secret] = []

    def keep(secret: Secret) -> str:
        found.append(secret)
        return secret.text

    exchange_secrets(document, keep)
    yield from found
