"""The shapes of answers about alerts. Keys are only ever added; times are RFC 3339 UTC."""

from typing import TypedDict


class AlertChannel(TypedDict):
    """E-mail or webhook: whether it is set up, and why it cannot send just now."""

    channel: str
    set_up: bool
    last_sent_at: str | None
    error: str | None


class Told(TypedDict):
    """What one channel told; `cleared_at` is when its all-clear went."""

    channel: str
    code: str
    count: int
    text: str
    touchpoint: str | None
    destination: str | None
    since: str
    told_at: str
    cleared_at: str | None


class AlertsShape(TypedDict):
    """How alerts fare."""

    channels: list[AlertChannel]
    told: list[Told]


class AlertTested(TypedDict):
    """What a test came to; `error` may also name recipients that were refused while others were not."""

    channel: str
    sent: bool
    error: str | None


class AlertsTested(TypedDict):
    """What a test came to, by channel."""

    channels: list[AlertTested]
