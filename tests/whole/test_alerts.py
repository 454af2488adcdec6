"""The alerts of the whole program: a destination dies and a person is told, it comes back and the person is told that."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.appliance.alerts.mail_server import MailServer
from tests.whole.destination import Destination
from tests.whole.hookport import HURRIED, Hookport
from tests.whole.senders import github, touchpoint

PASSWORD = "hush-mail-password-1"
PATH = "hush-chat-path-2"


@pytest.fixture
def mail(free_port: Callable[[], int]) -> Iterator[MailServer]:
    server = MailServer(port=free_port(), user="hookport", password=PASSWORD).start()
    yield server
    server.stop()


@pytest.fixture
def chat(free_port: Callable[[], int]) -> Iterator[Destination]:
    made = Destination(port=free_port()).start()
    yield made
    made.stop()


def alerts(mail: MailServer, chat: Destination) -> str:
    return f"""
[alerts]
email_to = ["ann@example.com"]
email_from = "hookport@example.com"
smtp_host = "127.0.0.1"
smtp_port = {mail.port}
smtp_security = "none"
smtp_user = "hookport"
smtp_password = "env:MAIL_PASSWORD"
webhook_url = "http://127.0.0.1:{chat.port}/services/{PATH}"
webhook_shape = "slack"
group = "1s"
"""


def post(hookport: Hookport, number: int) -> None:
    body = b'{"number":%d,"customer":"Ann of Main Street"}' % number
    for name in ("orders", "stock"):
        assert httpx.post(hookport.url(name), content=body, headers=github(body, f"{name}{number}")).status_code == 200


def rows(hookport: Hookport, query: str) -> int:
    with closing(sqlite3.connect(hookport.data / "configuration.db")) as db:
        (count,) = db.execute(query).fetchone()
    return int(count)


def test_a_destination_dies_and_comes_back(
    tmp_path: Path, mail: MailServer, chat: Destination, destination: Destination, free_port: Callable[[], int]
) -> None:
    """One mail for two touchpoints at once, none again after a kill, one all-clear; no secret and no body anywhere."""
    hookport = Hookport(tmp_path, port=free_port(), admin=free_port(), environment={"MAIL_PASSWORD": PASSWORD})
    hookport.command = HURRIED
    try:
        hookport.configure(
            touchpoint("orders", destination.url) + touchpoint("stock", destination.url), agent=alerts(mail, chat)
        )
        hookport.start()
        proved = hookport.run("alerts", "test")
        assert (proved.returncode, proved.stdout) == (0, "Sent by e-mail.\nSent by webhook.\n")
        assert "This is a test." in mail.wait(1)[0].text

        destination.stop()
        for number in range(4):
            post(hookport, number)
        told = "".join(letter.text for letter in mail.wait(2)[1:])
        if "erp of stock" not in told or "erp of orders" not in told:  # the second went down more than a second later
            told += mail.wait(3)[2].text
        assert "erp of orders does not take deliveries: no connection can be made." in told
        assert "erp of stock does not take deliveries" in told
        # Two needs, told two ways: known over a kill from here on.
        hookport.await_status(lambda _: rows(hookport, "SELECT count(*) FROM told") == 4)
        letters = len(mail.letters)

        hookport.kill()
        hookport.start()
        hookport.await_status(lambda status: len(status["needs_you"]) == 2)
        destination.start()
        hookport.settled()
        cleared = mail.wait(letters + 1)[letters]
        assert "All clear:" in cleared.text
        if "erp of stock" not in cleared.text or "erp of orders" not in cleared.text:
            assert "All clear:" in mail.wait(letters + 2)[letters + 1].text
        hookport.await_status(lambda status: status["ok"])
        assert not [letter for letter in mail.letters[letters:] if "This needs you:" in letter.text]

        with hookport.api() as api:
            shown = api.get("/alerts").json()
        assert {one["channel"] for one in shown["told"]} == {"email", "webhook"}
        assert all(one["cleared_at"] for one in shown["told"])
        assert json.loads(chat.got[-1].body)["text"].count("All clear:") == 1
        assert hookport.stop() == 0

        everything = [letter.content for letter in mail.letters] + [got.body for got in chat.got]
        assert not any(b"Main Street" in one for one in everything)
        said = hookport.stderr() + hookport.run("config", "show").stdout + json.dumps(shown)
        said += "".join(file.read_text(encoding="utf-8") for file in (hookport.data / "logs").glob("*.log"))
        assert PASSWORD not in said
        assert PATH not in said
        with closing(sqlite3.connect(hookport.data / "configuration.db")) as db:
            assert PASSWORD not in "".join(db.iterdump())
            assert PATH not in "".join(db.iterdump())
    finally:
        hookport.close()


def test_a_mail_server_that_is_down_keeps_nothing_waiting(
    hookport: Hookport, mail: MailServer, chat: Destination, destination: Destination
) -> None:
    """The need is on the page and in the status; deliveries go on; the mail goes once the server is back."""
    mail.stop()
    hookport.command = HURRIED
    hookport.environment["MAIL_PASSWORD"] = PASSWORD
    destination.status = 410
    hookport.configure(touchpoint("orders", destination.url) + touchpoint("stock", destination.url), agent=alerts(mail, chat))
    hookport.start()
    post(hookport, 1)
    status = hookport.await_status(lambda status: "alert_email_failed" in [need["code"] for need in status["needs_you"]])
    assert not status["ok"]
    destination.status = 200
    post(hookport, 2)
    hookport.settled()
    mail.start()
    text = mail.wait(1)[0].text
    assert "Deliveries to erp of orders were given up, 1 in all." in text
    hookport.await_status(lambda status: {need["code"] for need in status["needs_you"]} == {"given_up"})
    assert hookport.stop() == 0
