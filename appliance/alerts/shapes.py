"""The bodies of alerts by webhook: our own shape, Slack's and Teams'. Whatever a stranger wrote stays text in each of them."""

from collections.abc import Callable
from typing import Any

import orjson

from appliance.alerts.message import Message
from store.alerts import Standing
from touchpoints.moment import rfc3339

Json = dict[str, Any]

_SLACK_LONGEST = 30_000  # characters; Slack cuts off after 40,000


def hookport(message: Message) -> Json:
    """Our own: keys are only ever added."""
    parts = {part.name: [_thing(one) for one in part.standing] for part in message.parts}
    return {
        "type": "hookport.alert",
        "id": message.id,
        "at": rfc3339(message.at),
        "host": message.origin.host,
        "page": message.origin.page,
        "version": message.origin.version,
        "test": message.test,
        "subject": message.subject,
        "news": parts.get("news", []),
        "again": parts.get("again", []),
        "mended": parts.get("mended", []),
    }


def _thing(one: Standing) -> Json:
    return {
        "code": one.code,
        "count": one.count,
        "text": one.text,
        "mend": one.mend,
        "touchpoint": one.touchpoint or None,
        "destination": one.destination or None,
        "since": rfc3339(one.since),
        "until": rfc3339(one.gone_at) if one.gone_at is not None else None,
    }


def slack(message: Message) -> Json:
    """An incoming webhook's message (docs.slack.dev, "Sending messages using incoming webhooks"), its markup turned off.

    Even so `&`, `<` and `>` are escaped: `<!channel>` in a stranger's text would wake everybody.
    """
    lines = [f"{message.subject}\n", *("\n".join(lines) for lines in message.paragraphs)]
    text = "\n\n".join(lines)[:_SLACK_LONGEST]
    for letter, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(letter, escaped)
    return {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


def teams(message: Message) -> Json:
    """An Adaptive Card as the workflow "Send webhook alerts to a channel" takes it, which came after Office 365 connectors.

    RichTextBlock, unlike TextBlock, reads no Markdown (adaptivecards.io), so a stranger's text makes no link.
    """
    body = [_rich(message.subject, size="Medium", weight="Bolder")]
    for title, *lines in message.paragraphs:
        body += [_rich(title, weight="Bolder" if lines else "Default"), *(_rich(line) for line in lines)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _rich(text: str, **looks: str) -> Json:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **looks}]}


SHAPES: dict[str, Callable[[Message], Json]] = {"hookport": hookport, "slack": slack, "teams": teams}


def body_of(message: Message, shape: str) -> bytes:
    """What is posted."""
    return orjson.dumps(SHAPES[shape](message))
