"""Confirmations by a visit: only of what a proved sender named, and only at Amazon's own hosts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import make_request
from tests.touchpoints.handshakes.cases import CONFIRMATION, EVENT_GRID, SECRET, SNS, SUBSCRIBE_URL, signed, touchpoint
from touchpoints.handshake import needs_agent, proxy_answer
from touchpoints.receive import receive
from touchpoints.request import Answer, Received, Verified


def confirm(url: object) -> Received:
    """What a signed confirmation with that address comes to."""
    body = json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode()
    return receive(make_request(body, signed(body)), SNS.touchpoint)


def test_a_verified_confirmation_is_answered_once_it_was_visited() -> None:
    """The address travels with the answer, and shows in no log of it."""
    answer = receive(make_request(CONFIRMATION, signed(CONFIRMATION)), SNS.touchpoint)

    assert answer == Answer(visit=SUBSCRIBE_URL)
    assert "amazonaws" not in repr(answer)


def test_its_sender_does_not_wait_for_the_visit() -> None:
    """A proxy queues it like an event: only the agent can tell whose it is."""
    request = make_request(CONFIRMATION)

    assert not needs_agent(request, SNS.touchpoint.handshake)
    assert proxy_answer(request, SNS.touchpoint.handshake, ("POST",)) is None


_QUERY = "/?Action=ConfirmSubscription&TopicArn=a&Token=b"


@pytest.mark.parametrize(
    "url",
    [
        f"http://sns.us-east-1.amazonaws.com{_QUERY}",
        f"https://sns.us-east-1.amazonaws.com.evil.example{_QUERY}",
        f"https://evil.example/sns.us-east-1.amazonaws.com{_QUERY}",
        f"https://evil.example@sns.us-east-1.amazonaws.com{_QUERY}",
        f"https://sns.us-east-1.amazonaws.com@evil.example{_QUERY}",
        f"https://sns.us-east-1.amazonaws.com:8443{_QUERY}",
        f"https://sns.us-east-1.amazonaws.com.{_QUERY}",
        f"https://sns.us-east-1.amazonaws.com\\@evil.example{_QUERY}",
        f"https://SNS.us-east-1.amazonaws.com{_QUERY}",
        f"https://sns..amazonaws.com{_QUERY}",
        f"https://sns.us-east-1.evil.amazonaws.com{_QUERY}",
        f"https://s3.us-east-1.amazonaws.com{_QUERY}",
        f"https://sns.s3.amazonaws.com{_QUERY}",
        "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=a",
        f"https://sns.us-east-1.amazonaws.com/x{_QUERY}",
        f"https://sns.us-east-1.amazonaws.com{_QUERY}\r\nHost: evil",
        f"https://sns.us-east-1.amazonaws.com{_QUERY}#x",
        f"https://sns.us-east-1.amazonaws.com{_QUERY}é",
        f"https://sns.us-east-1.amazonaws.com{_QUERY}{'x' * 3000}",
        "",
        None,
        ["https://sns.us-east-1.amazonaws.com"],
    ],
)
def test_no_other_address_is_visited(url: object) -> None:
    """Also not when its sender is proved: who can publish to a topic could else send us anywhere."""
    assert confirm(url) == Answer(status=400)


@pytest.mark.parametrize(
    "host", ["sns.eu-central-1.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn", "sns.us-gov-west-1.amazonaws.com"]
)
def test_every_region_of_amazons(host: str) -> None:
    """China's, too."""
    assert confirm(f"https://{host}{_QUERY}") == Answer(visit=f"https://{host}{_QUERY}")


@given(
    st.text(max_size=100), st.sampled_from(["https://sns.eu-central-1.amazonaws.com", "https://sns.", "//sns.x.amazonaws.com"])
)
def test_what_is_visited_begins_as_it_must(text: str, start: str) -> None:
    """Whatever else is in it."""
    answer = confirm(start + text)

    assert isinstance(answer, Answer)
    assert answer.visit == "" or answer.visit.startswith("https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&")


def test_notifications_are_events() -> None:
    """Also one that names an address."""
    body = json.dumps({"Type": "Notification", "SubscribeURL": SUBSCRIBE_URL}).encode()

    assert isinstance(receive(make_request(body, signed(body)), SNS.touchpoint), Verified)


def test_event_grids_address_is_never_visited() -> None:
    """Nothing proves who sent it: the code goes back instead."""
    body = json.dumps([{"eventType": EVENT_GRID, "data": {"validationCode": "c-1", "validationUrl": SUBSCRIBE_URL}}]).encode()
    answer = receive(make_request(body), touchpoint(f"validation_code:{EVENT_GRID}|fetch_url:sns", SECRET))

    assert isinstance(answer, Answer)
    assert (answer.body, answer.visit) == (b'{"validationResponse":"c-1"}', "")
