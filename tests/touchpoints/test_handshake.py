"""Handshakes and pings: each kind as its sender asks, and what they are not to be misused for."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import make_request
from tests.touchpoints.handshakes.cases import ASANA, CASES, NOTION, SECRET, SNS, Case, signed, touchpoint
from touchpoints.handshake import KINDS, handshake_problem, methods_of, needs_agent, proxy_answer, refuses
from touchpoints.receive import receive
from touchpoints.request import Answer, Received, Refused, Request, Verified

ENDPOINT = "https://hooks.example.com/hooks/asked"
EVERY = (*CASES, ASANA, NOTION, SNS)


def request_of(case: Case) -> Request:
    """The request of a case, at the endpoint."""
    query = f"?{case.query}" if case.query else ""
    target, url = f"/hooks/asked{query}", ENDPOINT + query
    return make_request(case.body, case.headers, method=case.method, target=target, url=url)


def ask(case: Case, **changes: object) -> Received:
    """What a case comes to when something of its request is another."""
    return receive(replace(request_of(case), **changes), case.touchpoint)  # type: ignore[arg-type] # the fields of Request


def of(name: str) -> Case:
    """A case by its name."""
    return next(case for case in EVERY if case.name == name)


@pytest.mark.parametrize("case", [case for case in CASES if case.status == 200], ids=lambda case: case.name)
def test_each_kind_is_answered_as_its_sender_wants(case: Case) -> None:
    """Status, headers and body."""
    answer = receive(request_of(case), case.touchpoint)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (200, case.wanted(ENDPOINT))
    assert set(case.wanted_headers) <= set(answer.headers)
    assert not answer.secret
    assert not answer.visit


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_proxy_answers_what_needs_no_secret_and_asks_for_the_rest(case: Case) -> None:
    """What it answers by itself is what the agent would."""
    request, kinds = request_of(case), case.touchpoint.handshake
    answer = proxy_answer(request, kinds, ("POST",))

    assert (answer is not None) is case.by_proxy
    assert needs_agent(request, kinds) is not case.by_proxy
    if answer is not None:
        assert answer == receive(request, case.touchpoint)


def test_every_kind_is_among_the_cases() -> None:
    """So that none is forgotten at the listener or the proxy."""
    steps = [step for case in EVERY for step in case.touchpoint.handshake.split("|")]
    assert {kind for kind in KINDS if any(step == kind or step.partition(":")[0] == kind for step in steps)} == set(KINDS)


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.name)
def test_a_method_of_neither_events_nor_handshakes_is_refused(case: Case) -> None:
    """By name, so that a listener can answer 405."""
    assert ask(case, method="DELETE") == Refused(code="method_wrong")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_handshake_without_a_body_must_have_none(method: str) -> None:
    """Bytes that nobody looks at are refused, by proxy and agent alike."""
    for case in CASES:
        if case.method == method:
            assert ask(case, body=b"x") == Answer(status=400)
            if case.by_proxy:
                odd = replace(request_of(case), body=b"x")
                assert proxy_answer(odd, case.touchpoint.handshake, ("POST",)) == Answer(status=400)


def test_a_method_of_events_may_have_a_body() -> None:
    """Some senders send events by GET."""
    case = of("echo_query")
    events = replace(case.touchpoint, methods=("POST", "GET"))
    request = replace(request_of(case), body=b"x", target="/hooks/asked", headers=signed(b"x"))

    assert isinstance(receive(request, events), Verified)


@pytest.mark.parametrize("handshake", ["echo_query:challenge", "echo_query_if_token:hub", "sha256_concat:challenge_code"])
def test_a_get_without_the_challenge_is_none(handshake: str) -> None:
    """And so no event either."""
    request = make_request(b"", method="GET", target="/hooks/asked?other=1")

    assert receive(request, touchpoint(handshake, SECRET)) == Refused(code="method_wrong")
    assert not needs_agent(request, handshake)
    assert proxy_answer(request, handshake, ("POST",)) is None


def test_a_browsers_preflight_is_none() -> None:
    """OPTIONS without WebHook-Request-Origin gives nobody leave for anything."""
    request = make_request(b"", ((b"origin", b"https://evil.example"),), method="OPTIONS")

    assert receive(request, touchpoint("options", SECRET)) == Refused(code="method_wrong")


HOSTILE = (
    "<script>alert(1)</script>",
    "a b\r\nSet-Cookie: x=1",
    "\x00",
    "é",
    '"}',
    "{}",
    "[1]",
    "x" * 1025,
    "",
    "javascript:alert(1)//'",
)


def with_challenge(case: Case, value: str, times: int = 1) -> Request:
    """A case's request with another challenge."""
    request = request_of(case)
    quoted = "".join(f"%{byte:02x}" for byte in value.encode())
    if case.method == "GET" and case.query:
        name = {"echo_query_if_token": "hub.challenge"}.get(case.name) or case.query.partition("=")[0]
        others = [part for part in case.query.split("&") if not part.startswith(f"{name}=")]
        query = "&".join([*others, *[f"{name}={quoted}"] * times])
        return replace(request, target=f"/hooks/asked?{query}", url=f"{ENDPOINT}?{query}")
    if case.query:
        return replace(request, target="/hooks/asked?" + "&".join([f"validationToken={quoted}"] * times))
    if not case.body:
        header = case.headers[0][0]
        return replace(request, headers=((header, value.encode()),) * times)
    document = json.loads(case.body)
    if case.name == "validation_code":
        document[0]["data"]["validationCode"] = value
    elif case.name == "plain_token":
        document["payload"]["plainToken"] = value
    else:
        document["challenge"] = value
    body = json.dumps(document).encode()
    return replace(request, body=body, headers=signed(body) if case.headers else ())


CHALLENGED = [case for case in CASES if case.status == 200 and (case.query or case.name not in {"form_ping", "itr"})]
CHALLENGED = [case for case in CHALLENGED if not case.name.startswith("probe")]


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
@pytest.mark.parametrize("case", CHALLENGED, ids=lambda case: case.name)
def test_only_what_looks_like_a_challenge_is_echoed_or_signed(case: Case, value: str) -> None:
    """Markup, line ends, other letters, JSON and great lengths come to 400 and to no byte of theirs."""
    assert receive(with_challenge(case, value), case.touchpoint) == Answer(status=400)


@pytest.mark.parametrize("case", [case for case in CHALLENGED if not case.body], ids=lambda case: case.name)
def test_two_challenges_are_one_too_many(case: Case) -> None:
    """Nobody can tell which was meant, and two servers could take two."""
    assert receive(with_challenge(case, "a" * 20), case.touchpoint) != Answer(status=400)
    assert receive(with_challenge(case, "a" * 20, times=2), case.touchpoint) == Answer(status=400)


@pytest.mark.parametrize("case", [*(case for case in CASES if case.body), NOTION, ASANA], ids=lambda case: case.name)
def test_no_handshake_is_looked_for_in_a_large_body(case: Case) -> None:
    """What is no challenge is not parsed for one: it is judged like any event."""
    large = make_request(case.body + b" " * 20_000)

    assert not needs_agent(large, case.touchpoint.handshake)
    assert proxy_answer(large, case.touchpoint.handshake, ("POST",)) is None


@pytest.mark.parametrize(
    ("handshake", "methods"),
    [
        ("", ()),
        ("echo_query:challenge", ("GET",)),
        ("echo_query:validationToken:post", ("POST",)),
        ("status_probe:HEAD|status_probe:GET", ("HEAD", "GET")),
        (f"validation_code:{'a' * 5}|options", ("POST", "OPTIONS")),
        ("of_a_newer_agent:x|options", ("OPTIONS",)),
    ],
)
def test_the_methods_of_handshakes(handshake: str, methods: tuple[str, ...]) -> None:
    """Those of all kinds together; an unknown kind has none."""
    assert methods_of(handshake) == methods


@pytest.mark.parametrize(
    "handshake",
    [
        "unknown",
        "echo_query",
        "echo_query:a b",
        "echo_query:a:put",
        "echo_query_if_token:",
        "echo_header_json:x",
        "echo_header_json:X>y",
        "echo_header:",
        "json_challenge:",
        "validation_code:",
        "sha256_concat:",
        "hmac_token",
        "hmac_token:other",
        "status_probe:POST",
        "form_ping:",
        "capture_json:a.b",
        "fetch_url:event_grid",
        "options|",
    ],
)
def test_what_is_no_handshake_is_a_problem(handshake: str) -> None:
    """Told in words when it is configured, and passed over when it comes from elsewhere."""
    found = handshake_problem(handshake, path="touchpoint.a.handshake")

    assert found is not None
    assert (found.code, found.path) == ("handshake_invalid", "touchpoint.a.handshake")
    assert methods_of(handshake) in ((), ("OPTIONS",))


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.name)
def test_what_is_one_is_none(case: Case) -> None:
    """Every case's own."""
    assert handshake_problem(case.touchpoint.handshake) is None
    assert handshake_problem("") is None


@pytest.mark.parametrize(
    "body",
    [b'{"events":[{}]}', b'{"events":{}}', b'{"events":""}', b'{"events":0}', b'{"other":[]}', b'["events"]', b'"events"'],
)
def test_only_an_empty_list_is_xeros_intent(body: bytes) -> None:
    """Everything else that is signed is an event, and what is not signed is kept."""
    made = touchpoint("itr", SECRET)

    assert isinstance(receive(make_request(body, signed(body)), made), Verified)
    assert not needs_agent(make_request(body), "itr")


def test_nothing_large_goes_out_of_turn() -> None:
    """Not even where a header alone makes it a handshake: strangers could fill an agent's memory."""
    small = request_of(ASANA)

    assert needs_agent(small, ASANA.touchpoint.handshake)
    assert not needs_agent(replace(small, body=b" " * 20_000), ASANA.touchpoint.handshake)


@pytest.mark.parametrize("name", ["json_challenge", "plain_token", "itr", "fetch_url"])
def test_by_another_method_of_events_a_signed_challenge_is_an_event(name: str) -> None:
    """A kind has its own methods."""
    case = of(name)

    assert isinstance(
        receive(replace(request_of(case), method="PUT"), replace(case.touchpoint, methods=("POST", "PUT"))), Verified
    )


def test_no_list_at_all_is_as_empty_as_an_empty_one() -> None:
    """Both are answered as an intent, and neither is an event."""
    body = b'{"events":null,"entropy":"a"}'

    assert receive(make_request(body, signed(body)), touchpoint("itr", SECRET)) == Answer()
    assert needs_agent(make_request(body), "itr:events")


def test_only_intents_and_captures_are_refused_at_once() -> None:
    """Everything else that proves nothing is kept by a proxy, so that no event is lost."""
    told = {case.name for case in EVERY if refuses(request_of(case), case.touchpoint.handshake)}
    assert told == {"itr", "itr_wrongly_signed", "capture_json"}


@pytest.mark.parametrize("secrets", [(), (SECRET,)])
def test_woocommerce_gets_its_unsigned_ping_answered(secrets: tuple[str, ...]) -> None:
    """Saving a webhook in WooCommerce works before and after the secret is known."""
    assert receive(make_request(b"webhook_id=12"), touchpoint("form_ping:webhook_id", *secrets)) == Answer()


@pytest.mark.parametrize(
    "body", [b"webhook_id=", b"webhook_id=1&a=2", b"webhook_id=x", b"webhook_id=1\n", b"webhook_id=" + b"1" * 30, b"{}"]
)
def test_only_the_ping_itself_goes_unsigned(body: bytes) -> None:
    """Anything else without a signature is refused."""
    assert receive(make_request(body), touchpoint("form_ping:webhook_id", SECRET)) == Refused(code="signature_missing")


def test_a_ping_with_a_signature_must_prove_it() -> None:
    """The exception is for unsigned pings."""
    request = make_request(b"webhook_id=12", ((b"x-signature", b"0" * 64),))

    assert receive(request, touchpoint("form_ping:webhook_id", SECRET)) == Refused(code="signature_wrong")


def test_an_unsigned_challenge_is_refused() -> None:
    """A stranger learns nothing once the secret is set, of Slack's challenge and of Zoom's."""
    for name in ("json_challenge", "plain_token", "itr", "fetch_url"):
        assert ask(of(name), headers=()) == Refused(code="signature_missing"), name


def test_in_setup_the_challenge_is_answered_and_events_are_not() -> None:
    """Without a secret, Slack's page can still be filled in; what is signed under a secret cannot be answered."""
    setup = of("json_challenge_in_setup").touchpoint
    assert receive(make_request(b'{"type":"event_callback"}'), setup) == Refused(code="no_secret")
    for name, wanted in (
        ("crc_token", Answer(status=401)),
        ("bt_challenge", Answer(status=401)),
        ("plain_token", Refused(code="no_secret")),
        ("itr", Refused(code="no_secret")),
    ):
        case = of(name)
        assert receive(request_of(case), replace(case.touchpoint, secrets=())) == wanted, name


@given(st.binary(max_size=200), st.sampled_from(EVERY), st.sampled_from(["POST", "GET", "HEAD", "OPTIONS"]))
def test_nothing_raises(noise: bytes, case: Case, method: str) -> None:
    """Whatever comes, in body, query and headers."""
    query = noise.decode("latin-1")
    request = replace(
        request_of(case),
        method=method,
        body=noise,
        target=f"/hooks/asked?{case.query}&{query}",
        headers=((b"x-hook-secret", noise),),
    )
    kinds = case.touchpoint.handshake
    assert isinstance(receive(request, case.touchpoint), (Answer, Refused, Verified))
    assert isinstance(needs_agent(request, kinds), bool)
    assert isinstance(proxy_answer(request, kinds, ("POST",)), (Answer, type(None)))
