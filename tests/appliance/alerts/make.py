"""Messages and settings for the tests of alerts."""

from dataclasses import replace
from typing import Any

from appliance.alerts.message import Message, Origin, compose
from appliance.alerts.standing import Due
from store.alerts import Standing
from store.settings import AlertSettings
from tests.store.make import NOW

HOSTILE = "<!channel> & <b>x</b> [a](http://evil.test) *b*\r\nBcc: all@evil.test\x00\u202e"
ORIGIN = Origin(host="srv1", page="http://127.0.0.1:8421", version="1")


def standing(code: str = "given_up", **changes: Any) -> Standing:
    """One thing that needs a person."""
    plain = Standing(code=code, touchpoint="orders", destination="erp", text=f"{code} happened.", mend="Look.", since=NOW)
    return replace(plain, **changes)


def message(*news: Standing) -> Message:
    """A message about some things."""
    return compose(Due(news=news or (standing(),)), origin=ORIGIN, message_id="m1", at=NOW)


def mail_settings(port: int, **changes: Any) -> AlertSettings:
    """E-mail to a server on loopback."""
    plain = AlertSettings(
        email_to=("ann@example.com", "bob@example.com"),
        email_from="hookport@example.com",
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security="none",
    )
    return replace(plain, **changes)
