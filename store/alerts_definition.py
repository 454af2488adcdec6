"""Every setting of `[alerts]`, and what is right alone and wrong together there."""

import re
from collections.abc import Mapping
from typing import Any

from store.settings import ALERT_KINDS, AlertSettings
from touchpoints.definition_kind import (
    PATH,
    SECRET,
    TEXT,
    choice,
    integer,
    is_loopback,
    list_of,
    plain_text,
    read_secret,
    simple,
    span,
    split_url,
)
from touchpoints.definition_setting import Kind, Mistake, Reading, Setting, expect, shown
from touchpoints.problem import ProblemError
from touchpoints.sign import sign_standard

ALERT_SECRETS = ("smtp_password", "webhook_url", "webhook_secret")

# The dot-atom of RFC 5322 section 3.2.3 before the @, a host name after it; nothing that could end a header or a command.
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")


def email(value: str) -> str:
    """An e-mail address; empty: none."""
    if value and (len(value) > 254 or not _EMAIL.fullmatch(value)):
        raise Mistake("not_an_email", found=shown(value))
    return value


def filled_email(value: str) -> str:
    """An e-mail address."""
    if not value:
        raise Mistake("not_an_email", found="")
    return email(value)


def server(value: str) -> str:
    """A host name or an address, without a port; empty: none."""
    if value and (len(value) > 253 or not _HOST.fullmatch(value)):
        raise Mistake("not_a_mail_server", found=shown(value))
    return value


def read_secret_url(value: Any, path: str, reading: Reading) -> str:
    """An HTTP URL that is a secret as a whole; empty: none."""
    clear = read_secret(value, path, reading)
    if clear:
        split_url(plain_text(clear), "http", "https")
    return clear


def span_or(*words: str, least: str, most: str) -> Kind:
    """A span of time within limits, or one of some words; the word "off" becomes None."""
    inner = span(least, most)
    label = f"{inner.label}, or {' or '.join(words)}"

    def read(value: Any, path: str, reading: Reading) -> Any:
        expect(str, value, label)
        if value in words:
            return None if value == "off" else value
        return inner.read(value, path, reading)

    return Kind(label, read)


EMAILS = list_of(simple("an e-mail address", str, filled_email), most=50)

ALERTS = (
    Setting("email_to", EMAILS, [], "Who gets the alerts by e-mail."),
    Setting("email_from", simple("an e-mail address", str, email), "", "The sender of these e-mails."),
    Setting("smtp_host", simple("a host name", str, server), "", "The mail server; none: no e-mail is sent."),
    Setting("smtp_port", integer(0, 65535), 0, "Its port; 0: 587 with starttls, 465 with tls, 25 with none."),
    Setting("smtp_security", choice("starttls", "tls", "none"), "starttls", "How the connection to it is encrypted."),
    Setting("smtp_user", TEXT, "", "The user there, where it wants one."),
    Setting("smtp_password", SECRET, "", "That user's password: literal, env:NAME or file:PATH."),
    Setting("smtp_ca", PATH, "", "A PEM file of an authority that is trusted for it beside the system's."),
    Setting("webhook_url", Kind(SECRET.label, read_secret_url), "", "Where alerts are posted; none: nowhere."),
    Setting("webhook_shape", choice("hookport", "slack", "teams"), "hookport", "What is posted there."),
    Setting("webhook_secret", SECRET, "", "A whsec_ secret: the shape hookport is signed by Standard Webhooks."),
    Setting("about", list_of(choice(*ALERT_KINDS)), [], "What is told, by problem code; none: all of them."),
    Setting("group", span("0s", "1h"), "1m", "News is gathered for so long, and then told in one message."),
    Setting("repeat", span_or("off", least="10m", most="30d"), "24h", "What still stands is told again after so long."),
    Setting(
        "silence",
        span_or("auto", "off", least="10m", most="365d"),
        "auto",
        "When nothing came to a touchpoint for so long, it is told; auto: for longer than usual.",
    ),
)


def check_alerts(document: Mapping[str, Any], alerts: AlertSettings, reading: Reading) -> None:
    """Settings of `[alerts]` that are right alone and wrong together; a key whose value is wrong itself counts as given."""
    table = document.get("alerts")
    given = {key for key, value in table.items() if value} if isinstance(table, dict) else set()
    check_email(given, alerts, reading)
    check_webhook(given, alerts, reading)


def check_email(given: set[str], alerts: AlertSettings, reading: Reading) -> None:
    """A mail server needs senders and recipients, these need a server, and a password needs a private way."""
    if "smtp_host" in given and "email_to" not in given:
        reading.wrong("alerts_no_recipient", "alerts.email_to")
    if "smtp_host" not in given and given & {"email_to", "email_from", "smtp_user", "smtp_password"}:
        reading.wrong("alerts_no_server", "alerts.smtp_host")
    if given & {"smtp_host", "email_to"} and "email_from" not in given:
        reading.wrong("alerts_no_sender", "alerts.email_from")
    for key, other in (("smtp_user", "smtp_password"), ("smtp_password", "smtp_user")):
        if key in given and other not in given:
            reading.wrong("alerts_user_alone", f"alerts.{other}", key=key, other=other)
    if (
        "smtp_host" in given
        and alerts.smtp_security == "none"
        and given & {"smtp_user", "smtp_password"}
        and not is_loopback(alerts.smtp_host)
    ):
        reading.wrong("alerts_password_in_clear", "alerts.smtp_security")


def check_webhook(given: set[str], alerts: AlertSettings, reading: Reading) -> None:
    """A secret signs our own shape only, and a chat's URL, which lets in whoever reads it, goes over TLS."""
    if "webhook_secret" in given:
        if "webhook_url" not in given:
            reading.wrong("alerts_secret_unused", "alerts.webhook_secret", why="there is no webhook_url")
        elif alerts.webhook_shape != "hookport":
            reading.wrong("alerts_secret_unused", "alerts.webhook_secret", why=f"{alerts.webhook_shape} takes no signature")
    if alerts.webhook_secret:
        try:
            sign_standard(alerts.webhook_secret, "", 0, b"")
        except ProblemError:
            reading.wrong("sign_malformed", "alerts.webhook_secret")
    url = alerts.webhook_url
    in_clear = url.startswith("http://") and not is_loopback(split_url(url, "http").hostname or "")
    if in_clear and alerts.webhook_shape != "hookport":
        reading.wrong("alerts_webhook_in_clear", "alerts.webhook_url", shape=alerts.webhook_shape)
