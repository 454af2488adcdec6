"""Senders that sign nothing and repeat a credential: in a header, the query, the body, or every item of it."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from tests.touchpoints.factory import NOW, URL, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants
from tests.touchpoints.proving import why
from touchpoints.coverage import covers
from touchpoints.event import Headers
from touchpoints.provider import provider
from touchpoints.receive import receive
from touchpoints.request import Request, Verified

TOKEN, WRONG = "t0ken-long-enough-to-be-one", "t0ken-long-enough-to-be-onf"


def _body(name: str) -> str:
    return provider(name).sample.body


def _in_header(name: str, header: str = "X-Webhook-Token", prefix: str = "", token: str = TOKEN) -> Request:
    return post(_body(name), {header: prefix + token, **provider(name).sample.headers})


def _in_query(name: str, parameter: str, token: str = TOKEN) -> Request:
    query = f"?{parameter}={token}"
    return post(_body(name), dict(provider(name).sample.headers), target="/hooks/orders" + query, url=URL + query)


def _graph(*states: object) -> Request:
    # learn.microsoft.com/graph/api/resources/changenotificationcollection
    item = json.loads(_body("ms_graph"))["value"][0]
    return post(json.dumps({"value": [item | {"clientState": state} for state in states]}), {})


def _salesforce(organisation: str) -> Request:
    # developer.salesforce.com: outbound messaging, outboundmessaging_wsdl
    return post(_body("salesforce_om").replace("00D000000000001AAA", organisation), {"SOAPAction": '""'})


def _crm(token: str) -> Request:
    # zoho.com/crm/developer/docs/api/v8/notifications: the token comes back in the body
    return post(json.dumps(json.loads(_body("zoho")) | {"token": token}), {})


def _basic(secret: str) -> Request:
    return post(_body("sap"), {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()})


def _event(**binary: bool) -> Request:
    """An event by the CloudEvents library, with its attributes in headers (binary) or all in the body."""
    event = CloudEvent(
        {"type": "com.example.order.created", "source": "https://shop.example.com/orders", "id": "b5f7", "subject": "1042"},
        {"number": "1042"},
    )
    message = (to_binary_event if binary else to_structured_event)(event)
    return post(message.body, {**message.headers, "Authorization": f"Bearer {TOKEN}"})


_CLOUD = "https%3A//shop.example.com/orders:b5f7"
_SALES = (
    "4af10637-4ea2-e711-8122-000d3aa2331c:b374239d-4233-41a9-8b17-a86cb4f737b5"
    ":75417616-4ea2-e711-8122-000d3aa2331c:/Date(1767225600000+0000)/"
)
_GRID = "/subscriptions/sample/resourceGroups/sample/providers/Microsoft.Storage/storageAccounts/sample"
_BLOB = f"{_GRID}:831e1650-001e-001b-66ab-eeb76e069631"


def _case(sender: str, send: Request, proof: str = "", **fields: Any) -> Case:
    given: dict[str, Any] = {
        "secret": TOKEN,
        "wrong": WRONG,
        "event_type": provider(sender).sample.event_type,
        "wrong_code": "credential_wrong",
        "missing_code": "credential_missing",
        "tampered": None,
        **fields,
    }
    return Case(provider=sender, send=lambda now: replace(send, received_at=now), proof=proof, **given)


CASES = [
    _case(
        "bigcommerce",
        _in_header("bigcommerce"),
        "x-webhook-token",
        dedup="3f9ea420af83450d7ef9f78b08c8af25b2213637:1767225600",
        reference="1042",
        missing_code="credential_missing",
    ),
    _case("netsuite", _in_header("netsuite"), "x-webhook-token", reference="SO1042", missing_code="credential_missing"),
    _case("prestashop", _in_header("prestashop"), "x-webhook-token", reference="XKBKNABJK", missing_code="credential_missing"),
    _case(
        "dataverse",
        _in_header("dataverse"),
        "x-webhook-token",
        event_type="salesorder:Create",
        dedup=_SALES,
        reference="6d81597f-0f9f-e711-8122-000d3aa2331c",
    ),
    _case(
        "dataverse",
        _in_query("dataverse", "code"),
        name="query",
        event_type="salesorder:Create",
        dedup=_SALES,
        reference="6d81597f-0f9f-e711-8122-000d3aa2331c",
    ),
    _case(
        "azure_event_grid",
        _in_header("azure_event_grid"),
        "x-webhook-token",
        dedup=_BLOB,
        reference="/blobServices/default/containers/orders/blobs/1042.json",
    ),
    _case(
        "azure_event_grid",
        _in_query("azure_event_grid", "code"),
        name="query",
        dedup=_BLOB,
        reference="/blobServices/default/containers/orders/blobs/1042.json",
    ),
    _case("cloudevents", _event(), "authorization", event_type="com.example.order.created", dedup=_CLOUD, reference="1042"),
    _case("cloudevents", _event(binary=True), "authorization", name="binary", dedup=_CLOUD, reference="1042"),
    _case(
        "cloudevents",
        _in_query("cloudevents", "access_token"),
        name="query",
        dedup="https%3A//shop.example.com/orders:b5f7c6d2",
        reference="1042",
    ),
    _case("ms_graph", _graph(TOKEN, TOKEN), dedup="lsgTZMr9KwAAA", reference="me/messages/sample"),
    _case(
        "salesforce_om",
        _salesforce("00Dx0000000BQ7KEAW"),
        secret="00Dx0000000BQ7KEAW",
        wrong="00Dx0000000BQ7KEAX",
        dedup="04l000000000001AAA",
        reference="00001042",
    ),
    _case(
        "zoho",
        _crm(TOKEN),
        name="crm",
        event_type="Sales_Orders:insert",
        dedup="1000000068001:1767225600000:4150868000001042",
        reference="4150868000001042",
    ),
    _case(
        "sap",
        _basic("ann:s3:cret"),
        "authorization",
        secret="ann:s3:cret",
        wrong="ann:s3",
        dedup="/default/sap.s4.beh/SAMPLE:QgEK7wzuHtqdhJwqCS+VOA==",
        reference="1042",
    ),
    _case(
        "sap",
        _in_header("sap", "Authorization", "Bearer "),
        "authorization",
        name="bearer",
        dedup="/default/sap.s4.beh/SAMPLE:QgEK7wzuHtqdhJwqCS+VOA==",
        reference="1042",
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_proved_event_is_one(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.provider}-{case.name}")
def test_the_table_says_that_nothing_is_signed(case: Case) -> None:
    """So the page warns: who knows the credential can send anything."""
    row = provider(case.provider)

    assert row.covers == "nothing" or case.provider == "zoho"
    assert covers(row.verification(), "body") or case.provider == "zoho"


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ((TOKEN, WRONG), "credential_wrong"),
        ((WRONG, TOKEN), "credential_wrong"),
        ((TOKEN, ""), "credential_missing"),
        ((TOKEN, None), "credential_missing"),
        ((TOKEN, {"a": TOKEN}), "credential_missing"),
        ((), "credential_missing"),
    ],
)
def test_every_notification_of_microsoft_graph_brings_the_client_state(states: tuple[object, ...], code: str) -> None:
    """A stranger could add one to a collection."""
    assert why(_graph(*states), make_touchpoint("ms_graph", TOKEN)) == code


def test_two_subscriptions_may_come_in_one_collection() -> None:
    """Each with its own clientState, both of which are secrets of the touchpoint."""
    assert why(_graph(TOKEN, WRONG), make_touchpoint("ms_graph", TOKEN, WRONG)) == ""


def test_what_surrounds_an_organisations_id_changes_nothing() -> None:
    """It is read by its place in the message, not by a search for it."""
    stranger = _body("salesforce_om").replace("<SessionId", "<OrganizationId>00Dx0000000BQ7KEAW</OrganizationId><SessionId")
    hidden = _body("salesforce_om").replace("<sf:Id>", "<sf:OrganizationId>00Dx0000000BQ7KEAW</sf:OrganizationId><sf:Id>")
    touchpoint = make_touchpoint("salesforce_om", "00Dx0000000BQ7KEAW")

    assert why(post(stranger, {}), touchpoint) == "signature_ambiguous"
    assert why(post(hidden, {}), touchpoint) == "credential_wrong"


def test_two_grids_of_one_id_are_two_events() -> None:
    """An id is unique within its topic."""
    first = _in_header("azure_event_grid")
    second = replace(first, body=first.body.replace(b"storageAccounts/sample", b"storageAccounts/other"))
    touchpoint = make_touchpoint("azure_event_grid", TOKEN)

    received = [receive(one, touchpoint) for one in (first, second)]
    assert len({one.dedup_key for one in received if isinstance(one, Verified)}) == 2


@pytest.mark.parametrize("authorization", [f"Basic {TOKEN}", f"bearer  {TOKEN}", TOKEN, "Bearer", f"Bearer {TOKEN}, Basic x"])
def test_a_bearer_token_stands_alone_behind_its_word(authorization: str) -> None:
    """Whatever else stands in the header is no token."""
    headers: Headers = ((b"authorization", authorization.encode()),)
    assert why(replace(_event(), headers=headers, received_at=NOW), make_touchpoint("cloudevents", TOKEN)) != ""
