"""Messages in every shape: what they say, and that a stranger's text stays text."""

import json

from appliance.alerts.message import MOST_LINES, compose
from appliance.alerts.shapes import body_of, teams
from appliance.alerts.standing import Due
from appliance.needs import destination_needs
from store.settings import ALERT_KINDS, Configuration
from tests.appliance.alerts.make import HOSTILE, ORIGIN, message, standing
from tests.store.make import NOW
from touchpoints.moment import HOUR
from touchpoints.retry import Health
from touchpoints.touchpoint import HttpDestination, Touchpoint
from web.page.words import known


def test_it_says_what_is_new_what_stands_and_what_is_mended() -> None:
    """Each part with its lines, and who says it."""
    due = Due(news=[standing()], again=[standing("disk_low")], mended=[standing("store_full", gone_at=NOW + HOUR)])
    made = compose(due, origin=ORIGIN, message_id="m", at=NOW)
    text = "\n".join(line for lines in made.paragraphs for line in lines)
    assert made.subject == "Hookport on srv1: 2 things need you"
    assert "given_up happened. Look." in text
    assert "disk_low happened. Look. (since 2027-01-15 08:00 UTC)" in text
    assert "store_full happened. No longer: it began 2027-01-15 08:00 UTC and ended 2027-01-15 09:00 UTC." in text
    assert "http://127.0.0.1:8421" in text


def test_one_thing_is_its_own_subject_and_an_all_clear_says_so() -> None:
    """Read on a lock screen."""
    assert message().subject == "Hookport on srv1: given_up happened."
    clear = compose(Due(mended=[standing(gone_at=NOW)]), origin=ORIGIN, message_id="m", at=NOW)
    assert clear.subject == "Hookport on srv1: all clear"


def test_a_thousand_things_are_twenty_lines() -> None:
    """The rest is counted, and no chat's limit is passed."""
    made = message(*(standing(destination=f"d{n}", text="x" * 10_000) for n in range(1000)))
    assert len(made.parts[0].lines) == MOST_LINES + 1
    assert made.parts[0].lines[-1] == "And 980 more."
    assert len(body_of(made, "teams")) < 28_000
    assert len(body_of(made, "slack")) < 40_000


def test_a_strangers_text_is_text_in_slack() -> None:
    """Nobody is called by name, and no link is made."""
    sent = json.loads(body_of(message(standing(text=HOSTILE)), "slack"))
    assert "<" not in sent["text"]
    assert "&lt;!channel&gt; &amp; &lt;b&gt;" in sent["text"]
    assert sent["mrkdwn"] is False
    assert sent["unfurl_links"] is False


def test_a_strangers_text_is_text_in_teams() -> None:
    """Every piece is a TextRun, which reads no Markdown."""
    card = teams(message(standing(text=HOSTILE)))
    assert card["type"] == "message"
    (attachment,) = card["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content = attachment["content"]
    assert content["type"] == "AdaptiveCard"
    assert {block["type"] for block in content["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in content["body"] for run in block["inlines"]} == {"TextRun"}


def test_our_own_shape_names_each_thing() -> None:
    """With code, place and times, for a program."""
    sent = json.loads(body_of(message(standing(count=3)), "hookport"))
    assert (sent["type"], sent["id"], sent["host"], sent["test"]) == ("hookport.alert", "m1", "srv1", False)
    assert sent["news"] == [
        {
            "code": "given_up",
            "count": 3,
            "text": "given_up happened.",
            "mend": "Look.",
            "touchpoint": "orders",
            "destination": "erp",
            "since": "2027-01-15T08:00:00.000000Z",
            "until": None,
        }
    ]
    assert (sent["again"], sent["mended"]) == ([], [])


def test_what_a_destination_answered_stays_in_the_house() -> None:
    """Its answer may repeat the webhook's body: page and command line show it, an alert only names what it means."""
    to = HttpDestination(id=1, name="erp", url="http://127.0.0.1:9/")
    configuration = Configuration(touchpoints=(Touchpoint(id=1, name="orders", destinations=(to,)),))
    for code, told in (("unavailable", "it answers that it takes nothing right now"), ("odd", "the page says why (odd)")):
        health = Health(destination=1, down_since=NOW, error_code=code, error="It answered 503: customer Ann, Main Street 1.")
        (need,) = destination_needs(configuration, {}, {1: health})
        assert "Main Street" in need.problem.text
        assert need.alert is not None
        assert "Main Street" not in need.alert.text
        assert told in need.alert.text


def test_every_kind_has_words_on_the_page() -> None:
    """A box for each."""
    assert [kind for kind in ALERT_KINDS if not known(f"alerts.kind.{kind}")] == []
