"""GitHub, GitLab, Bitbucket: what happens to code."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks

from tests.touchpoints.factory import NOW, URL, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants
from tests.touchpoints.providers.hmacs import in_hex
from tests.touchpoints.providers.libraries import sample_of, signed_by, text_of
from tests.touchpoints.providers.node import node
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.receive import receive
from touchpoints.request import Refused, Request, Verified
from touchpoints.sign import sign

SECRET, WRONG = "geheim ☃", "geheim ☂"
DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
# 32 bytes, as GitLab makes them: https://gitlab.com/gitlab-org/gitlab/-/merge_requests/231325
SIGNING = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q="
OTHER_SIGNING = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3U="
GITLAB = {"X-Gitlab-Event": "Merge Request Hook", "Idempotency-Key": DELIVERY}


def _github(body: str, **headers: str) -> Request:
    signature = signed_by("octokit_sign", secret=SECRET, body=body)
    return post(body, {"X-Hub-Signature-256": signature, "X-GitHub-Event": "ping", "X-GitHub-Delivery": DELIVERY, **headers})


def _gitlab_signed(now: Micros) -> Request:
    body, moment = sample_of("gitlab"), datetime.fromtimestamp(now // SECOND, UTC)
    signature = standardwebhooks.Webhook(SIGNING).sign(DELIVERY, moment, body)
    signing = {"webhook-id": DELIVERY, "webhook-timestamp": str(now // SECOND), "webhook-signature": signature}
    return post(body, {**GITLAB, **signing})


def _gitlab_token(token: str) -> Request:
    # https://docs.gitlab.com/user/project/integrations/webhooks/: the secret token is sent as it is
    return post(sample_of("gitlab"), {**GITLAB, "X-Gitlab-Token": token})


def _bitbucket(_now: Micros) -> Request:
    # https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/, "Secure webhooks"
    body = sample_of("bitbucket")
    headers = {"X-Event-Key": "pullrequest:created", "X-Request-UUID": DELIVERY, "X-Attempt-Number": "1"}
    return post(body, {**headers, "X-Hub-Signature": f"sha256={in_hex(body, SECRET)}"})


def _case(provider: str, **fields: Any) -> Case:
    return Case(**{"provider": provider, "secret": SECRET, "wrong": WRONG, **fields})


CASES = [
    _case(
        "github",
        send=lambda _now: _github(sample_of("github")),
        proof="x-hub-signature-256",
        event_type="ping",
        dedup=DELIVERY,
    ),
    _case(
        "github",
        name="form",
        send=lambda _now: _github("payload=%7B%22action%22%3A%22opened%22%7D", **{"X-GitHub-Event": "issues"}),
        proof="x-hub-signature-256",
        event_type="issues",
        dedup=DELIVERY,
    ),
    _case(
        "gitlab",
        name="signed",
        send=_gitlab_signed,
        secret=SIGNING,
        wrong=OTHER_SIGNING,
        proof="webhook-signature",
        event_type="Merge Request Hook",
        dedup=DELIVERY,
        reference="7",
        stamped=5 * MINUTE,
    ),
    _case(
        "gitlab",
        name="token",
        send=lambda _now: _gitlab_token("token"),
        secret="token",
        wrong="other",
        proof="x-gitlab-token",
        event_type="Merge Request Hook",
        dedup=DELIVERY,
        reference="7",
        wrong_code="credential_wrong",
        tampered=lambda _request: tuple(_gitlab_token(one) for one in ("Token", "token ", "", "toke")),
    ),
    _case(
        "bitbucket",
        send=_bitbucket,
        proof="x-hub-signature",
        event_type="pullrequest:created",
        dedup=DELIVERY,
        reference="7",
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


@pytest.mark.timeout(120)
def test_githubs_own_payloads() -> None:
    """Every payload of octokit's collection, signed by octokit, is proved and read; octokit proves what we sign of each."""
    touchpoint = make_touchpoint("github", SECRET)
    examples = [json.loads(line) for line in node("github.mjs", "sign", SECRET)]
    ours = []
    for example in examples:
        body, headers = example["body"], {"X-GitHub-Event": example["event"], "X-GitHub-Delivery": DELIVERY}
        received = receive(post(body, {**headers, "X-Hub-Signature-256": example["signature"]}), touchpoint)
        assert isinstance(received, Verified), example["event"]
        assert (received.event_type, received.dedup_key) == (example["event"], f"7:{DELIVERY}")
        signature = text_of(sign(touchpoint, body.encode(), (), NOW, URL, "m"), "x-hub-signature-256")
        ours.append(json.dumps({"body": body, "signature": signature}))

    assert len(examples) > 300
    wrong = json.dumps({"body": "{}", "signature": "sha256=" + "0" * 64})
    assert node("github.mjs", "verify", SECRET, lines=[*ours, wrong]) == ["true"] * len(ours) + ["false"]


def test_a_signing_token_of_gitlab_is_not_talked_out_of_its_signature() -> None:
    """With a signing token a request that only brings a secret token proves nothing, even when it is that very text."""
    assert receive(_gitlab_token(SIGNING), make_touchpoint("gitlab", SIGNING)) == Refused(code="secret_unusable")


def test_gitlab_takes_either_proof_while_one_replaces_the_other() -> None:
    """With a secret token and a signing token, each request is judged by what it brings, and by that alone."""
    touchpoint = make_touchpoint("gitlab", "token", SIGNING)

    assert isinstance(receive(_gitlab_token("token"), touchpoint), Verified)
    assert isinstance(receive(_gitlab_signed(NOW), touchpoint), Verified)
    both = post(sample_of("gitlab"), {"X-Gitlab-Token": "token", "webhook-signature": "v1,AAAA", "webhook-id": "1"})
    assert receive(both, touchpoint) == Refused(code="signature_malformed")


def test_a_form_of_github_is_read_as_its_payload() -> None:
    """The signature covers the form as it was sent."""
    body = "payload=" + json.dumps({"issue": {"number": 7}}).replace('"', "%22").replace(" ", "+")

    assert isinstance(receive(_github(body), make_touchpoint("github", SECRET)), Verified)
