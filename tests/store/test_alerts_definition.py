"""`[alerts]`: its values, its contradictions, and its secrets in the store."""

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from store.configuration import Actor, Applied
from store.document import to_toml
from store.redaction import secrets_of
from store.settings import ALERT_KINDS, AlertSettings
from store.settings_definition import read_configuration
from tests.store.configuration_kit import MACHINE, TOKEN, Kit, open_kit
from touchpoints.definition_setting import Reading
from touchpoints.moment import HOUR, MINUTE
from touchpoints.problem import catalogue

pytestmark = pytest.mark.anyio

MAIL: dict[str, Any] = {"smtp_host": "smtp.example.com", "email_to": ["ann@example.com"], "email_from": "h@example.com"}
LOGIN = {"smtp_user": "ann", "smtp_password": "hush-mail-1"}
CHAT = {"webhook_url": "https://hooks.slack.test/services/hush-chat-2", "webhook_shape": "slack"}
CA = str(Path("/x/ca.pem").absolute())
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    found = await open_kit(tmp_path)
    yield found
    await found.database.close()


async def put(kit: Kit, document: dict[str, Any], **options: Any) -> Applied:
    return await kit.apply(tomli_w.dumps(document), **options)


def read(**alerts: Any) -> tuple[AlertSettings, list[tuple[str, str]]]:
    reading = Reading()
    configuration = read_configuration({"alerts": alerts}, {}, reading)
    return configuration.alerts, [(one.code, one.path) for one in reading.problems]


def test_nothing_set_is_nothing_told() -> None:
    """The defaults are whole, and lead nowhere."""
    alerts, problems = read()
    assert alerts == AlertSettings()
    assert problems == []
    assert (alerts.group, alerts.repeat, alerts.silence) == (MINUTE, 24 * HOUR, "auto")
    assert alerts.kinds == {*ALERT_KINDS}


def test_whole_settings_hold() -> None:
    """E-mail with a user, a chat, a program; words instead of spans."""
    assert read(**MAIL, **LOGIN, **CHAT)[1] == []
    alerts, problems = read(
        webhook_url="http://10.0.0.7:9/x", webhook_secret=SECRET, repeat="off", silence="off", about=["given_up"]
    )
    assert problems == []
    assert (alerts.repeat, alerts.silence, alerts.kinds) == (None, None, frozenset({"given_up"}))
    assert read(silence="6h")[0].silence == 6 * HOUR


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        ({**MAIL, "email_to": []}, [("alerts_no_recipient", "alerts.email_to")]),
        ({"email_to": ["ann@example.com"], "email_from": "h@example.com"}, [("alerts_no_server", "alerts.smtp_host")]),
        ({**MAIL, "email_from": ""}, [("alerts_no_sender", "alerts.email_from")]),
        ({**MAIL, "smtp_user": "ann"}, [("alerts_user_alone", "alerts.smtp_password")]),
        ({**MAIL, "smtp_password": "hush"}, [("alerts_user_alone", "alerts.smtp_user")]),
        ({**MAIL, **LOGIN, "smtp_security": "none"}, [("alerts_password_in_clear", "alerts.smtp_security")]),
        ({**MAIL, **LOGIN, "smtp_security": "none", "smtp_host": "127.0.0.1"}, []),
        ({**CHAT, "webhook_url": "http://hooks.slack.test/x"}, [("alerts_webhook_in_clear", "alerts.webhook_url")]),
        ({**CHAT, "webhook_secret": SECRET}, [("alerts_secret_unused", "alerts.webhook_secret")]),
        ({"webhook_secret": SECRET}, [("alerts_secret_unused", "alerts.webhook_secret")]),
        ({"webhook_url": "https://a.test/", "webhook_secret": "whsec_!"}, [("sign_malformed", "alerts.webhook_secret")]),
        ({"webhook_url": "ftp://a.test/"}, [("not_a_url", "alerts.webhook_url")]),
        ({"about": ["given_up", "nonsense"]}, [("not_one_of", "alerts.about[1]")]),
        ({"silence": "soon"}, [("not_a_span", "alerts.silence")]),
        ({"silence": "1s"}, [("out_of_range", "alerts.silence")]),
        ({"repeat": 7}, [("wrong_type", "alerts.repeat")]),
        ({"smpt_host": "a"}, [("unknown_key_similar", "alerts.smpt_host")]),
    ],
)
def test_contradictions_are_told_with_their_place(alerts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """What is right alone and wrong together."""
    assert read(**alerts)[1] == expected


def test_every_mistake_is_told_at_once() -> None:
    """Wrong values and contradictions together."""
    found = read(smtp_host="a b", email_to=["ann"], smtp_user="ann", smtp_security="none", webhook_secret="x", about=["x"])[1]
    assert {code for code, _ in found} >= {
        "not_a_mail_server", "not_an_email", "alerts_no_sender", "alerts_user_alone", "alerts_secret_unused", "not_one_of",
    }  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "ann",
        "ann@",
        "@example.com",
        "Ann <ann@example.com>",
        "ann@example.com\r\nBcc: all@evil.test",
        "ann@example.com,bob@example.com",
        "ann@[127.0.0.1]",
        "a..b@example.com",
        "ann@exämple.com",
        "a" * 300 + "@example.com",
        "",
    ],
)
def test_an_address_that_could_be_more_than_one_is_refused(address: str) -> None:
    """No header, no second recipient."""
    assert ("not_an_email", "alerts.email_to[0]") in read(**{**MAIL, "email_to": [address]})[1]


@pytest.mark.parametrize("host", ["smtp.example.com:25", "a b", "-a", "a\r\nQUIT", "http://a", "é.test"])
def test_a_server_is_a_name_alone(host: str) -> None:
    """Its port has a key of its own."""
    assert ("not_a_mail_server", "alerts.smtp_host") in read(**{**MAIL, "smtp_host": host})[1]


def test_every_kind_is_a_problem() -> None:
    """What is told is what page and command line tell."""
    assert [kind for kind in ALERT_KINDS if kind not in catalogue()] == []


async def test_its_secrets_are_sealed_kept_and_read_back(kit: Kit) -> None:
    """Shown as fingerprints, which apply takes as keep; left out they stay, with --prune too, where they mean something."""
    applied = await put(kit, {"alerts": {**MAIL, **LOGIN, **CHAT}})
    assert applied.problems == ()
    assert applied.configuration is not None
    assert applied.configuration.alerts.smtp_password == "hush-mail-1"
    assert "hush" not in repr(applied.configuration.alerts)
    text = await kit.store.show()
    assert "hush" not in text
    shown = tomllib.loads(text)
    assert (await put(kit, shown)).changes == ()
    kept = await put(kit, {"alerts": {**MAIL, "smtp_user": "ann", "webhook_shape": "slack"}}, prune=True)
    assert kept.configuration is not None
    assert kept.configuration.alerts.smtp_password == "hush-mail-1"
    assert kept.configuration.alerts.webhook_url == CHAT["webhook_url"]
    without = await put(kit, {"alerts": MAIL}, prune=True)
    assert without.problems == ()
    assert without.configuration is not None
    assert without.configuration.alerts.smtp_password == ""
    gone = await put(kit, {}, prune=True)
    assert gone.configuration is not None
    assert gone.configuration.alerts == AlertSettings()


async def test_a_password_follows_nobody_to_another_server(kit: Kit) -> None:
    """A token's holder must not have it sent to a server of theirs, nor trust another authority."""
    await put(kit, {"alerts": {**MAIL, **LOGIN}})
    for change in ({"smtp_host": "evil.test"}, {"smtp_port": 2525}, {"smtp_security": "tls"}):
        moved = await put(kit, {"alerts": change}, actor=TOKEN)
        assert [one.code for one in moved.problems] == ["secret_moved"], change
    assert (await put(kit, {"alerts": {"smtp_host": "other.test"}}, actor=MACHINE)).problems == ()
    trusted = await put(kit, {"alerts": {"smtp_ca": CA}}, actor=Actor(name="token:x"))
    assert [one.code for one in trusted.problems] == ["needs_machine"]


async def test_every_secret_is_known_to_redaction(kit: Kit) -> None:
    """A chat's address as a whole, and its path, which an error might name alone."""
    applied = await put(kit, {"alerts": {**MAIL, **LOGIN, **CHAT}})
    assert applied.configuration is not None
    assert {"hush-mail-1", CHAT["webhook_url"], "services/hush-chat-2"} <= {*secrets_of(applied.configuration)}


def test_written_toml_is_read_back() -> None:
    """As file and page write it."""
    table = {**MAIL, "about": ["given_up"], "repeat": "off", "silence": "6h"}
    assert tomllib.loads(to_toml({"alerts": table}))["alerts"] == table
