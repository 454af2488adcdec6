"""Alerts by e-mail: a plain text message, given to a mail server within one deadline."""

import asyncio
import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPTimeoutError,
)

from appliance.alerts.message import Message, one_line
from appliance.alerts.unsent import Unsent
from store.settings import AlertSettings
from touchpoints.destinations.trust import trust
from touchpoints.problem import problem

DEADLINE = 30.0  # seconds for all of it
PORTS = {"starttls": 587, "tls": 465, "none": 25}
_POLICY = SMTP_POLICY.clone(cte_type="7bit")  # every server takes that
_LONGEST_ANSWER = 200
_GOODBYE = 2.0  # seconds
_FIRST_WINDOWS_CODE = 10000


async def send_mail(message: Message, settings: AlertSettings, *, deadline: float = DEADLINE) -> str:
    """Give the message to the mail server. Raises Unsent. What comes back tells which recipients it refused, else is empty."""
    port = settings.smtp_port or PORTS[settings.smtp_security]
    where = f"{settings.smtp_host}:{port}"
    mail = letter(message, settings)
    with _in_words(where):
        context = await asyncio.to_thread(trust, settings.smtp_ca)
        client = SMTP(
            hostname=settings.smtp_host,
            port=port,
            use_tls=settings.smtp_security == "tls",
            start_tls=False,
            tls_context=context,
            local_hostname=_domain(settings),  # whatever this machine calls itself may be no name for a mail server
            timeout=None,
        )
        try:
            async with asyncio.timeout(deadline):
                await client.connect()
                refused = await _hand_over(client, mail, settings, context, where)
            await _leave(client)
        finally:
            client.close()
    return refused


async def _leave(client: SMTP) -> None:
    """Say goodbye; the message is taken, whatever comes of that."""
    with suppress(SMTPException, OSError):  # TimeoutError is an OSError
        async with asyncio.timeout(_GOODBYE):
            await client.quit()


async def _hand_over(client: SMTP, mail: EmailMessage, settings: AlertSettings, context: ssl.SSLContext, where: str) -> str:
    if settings.smtp_security == "starttls":
        await client.ehlo()
        if not client.supports_extension("starttls"):
            raise Unsent(problem("mail_no_starttls", where=where).text, lasting=True)
        await client.starttls(tls_context=context, server_hostname=settings.smtp_host)
    if settings.smtp_user:
        await client.login(settings.smtp_user, settings.smtp_password)
    refused, _ = await client.send_message(mail, sender=settings.email_from, recipients=list(settings.email_to))
    if not refused:
        return ""
    named = ", ".join(f"{who}: {said.code} {_shown(said.message)}" for who, said in list(refused.items())[:3])
    return problem("mail_refused", where=where, detail=named).text


def letter(message: Message, settings: AlertSettings) -> EmailMessage:
    """The message as an e-mail: headers of our making only, and nothing that an absence note answers."""
    mail = EmailMessage(policy=_POLICY)
    mail["Subject"] = one_line(message.subject, 200)
    mail["From"] = settings.email_from
    mail["To"] = ", ".join(settings.email_to)
    mail["Date"] = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=message.at)
    mail["Message-ID"] = f"<{message.id}@{_domain(settings)}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834
    mail["X-Auto-Response-Suppress"] = "All"  # Exchange's own word for it
    parts = ["\n".join(_indented(part.title, part.lines)) for part in message.parts]
    mail.set_content("\n\n".join([*parts, "\n".join(message.closing)]) + "\n")
    return mail


def _indented(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(f"  - {line}" for line in lines)]


def _domain(settings: AlertSettings) -> str:
    return settings.email_from.rpartition("@")[2]


@contextmanager
def _in_words(where: str) -> Iterator[None]:
    try:
        yield
    except (TimeoutError, SMTPTimeoutError) as error:
        raise Unsent(problem("mail_timeout", where=where).text) from error
    except (SMTPException, OSError, ValueError) as error:
        raise _unsent(error, where) from error


def _unsent(error: Exception, where: str) -> Unsent:
    cause = error.__cause__ or error
    match error:
        case SMTPAuthenticationError():
            # Not what it answered: that may repeat what it was sent.
            return Unsent(problem("mail_login", where=where, detail=f" ({error.code})").text, lasting=True)
        case SMTPRecipientsRefused():
            first = error.recipients[0]
            return Unsent(
                problem("mail_refused", where=where, detail=f"{first.code} {_shown(first.message)}").text, lasting=True
            )
        case SMTPResponseException():
            lasting = error.code >= 500
            detail = f"{error.code} {_shown(error.message)}".strip()
            return Unsent(problem("mail_refused", where=where, detail=detail).text, lasting=lasting)
    if isinstance(cause, ssl.SSLError):
        return Unsent(problem("mail_tls", where=where, detail=_reason(cause)).text)
    if isinstance(error, SMTPConnectError | OSError):
        return Unsent(problem("mail_no_connection", where=where, detail=_reason(cause)).text)
    return Unsent(problem("mail_lost", where=where, detail=_shown(str(error))).text)


def _shown(text: str) -> str:
    """What a server said, short and on one line."""
    return one_line(text, _LONGEST_ANSWER).rstrip(".") or "it gave no reason"


def _reason(error: BaseException) -> str:
    """What the system or the TLS library calls it, without addresses."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or "the TLS handshake failed").replace("_", " ").lower()
    if isinstance(error, OSError) and error.errno and 0 < error.errno < _FIRST_WINDOWS_CODE:
        return os.strerror(error.errno)  # asyncio's own text repeats the address instead
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return _shown(str(error))
