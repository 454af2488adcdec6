"""From tables to touchpoints."""

from tests.touchpoints.defining import HERE, generic, one, read, wrong
from touchpoints.moment import DAY, MINUTE, SECOND
from touchpoints.provider import provider
from touchpoints.touchpoint import (
    STANDARD_SCHEDULE,
    Auth,
    Dedup,
    FolderDestination,
    HttpDestination,
    TouchpointState,
)


def test_a_preset_brings_all_that_is_left_out() -> None:
    """A touchpoint with a name, a provider and a secret is complete."""
    found = one()
    assert found.state is TouchpointState.RUNNING
    assert found.verification.encoding == "base64"
    assert found.dedup.key.startswith("header:x-shopify-webhook-id")
    assert found.retry.schedule == STANDARD_SCHEDULE
    assert found.methods == ("POST",)


def test_ids_come_from_what_is_stored() -> None:
    """Stored touchpoints and destinations keep their ids; new ones have none yet."""
    item = {
        "name": "a",
        "provider": "github",
        "destination": [{"kind": "folder", "path": HERE}, {"kind": "http", "url": "http://h"}],
    }
    found, problems = read(item, {"name": "b", "provider": "github"}, ids={("a",): 7, ("a", "folder"): 9})
    assert not problems
    assert [touchpoint.id for touchpoint in found] == [7, 0]
    assert [destination.id for destination in found[0].destinations] == [9, 0]


def test_a_touchpoint_without_its_secret_is_in_setup() -> None:
    """Setup is derived from running; hold and disabled are a person's word, and an unsigned touchpoint needs no secret."""
    assert one(secrets=[]).state is TouchpointState.SETUP
    assert one(secrets=[], state="hold").state is TouchpointState.HOLD
    assert one(secrets=[], state="disabled").state is TouchpointState.DISABLED
    assert one(provider="generic", secrets=[], verify={"allow_unsigned": True}).state is TouchpointState.RUNNING


def test_generic_opens_every_field() -> None:
    """The fields of [touchpoint.verify] become the verification."""
    found = generic(
        scheme="hmac",
        header="X-Sig",
        algorithm="sha512",
        encoding="base64",
        prefix="v1=",
        signed="{ts}.{body}",
        timestamp="header:X-Time:s",
        tolerance="1m",
    ).verification
    assert (found.signature, found.algorithm, found.encoding, found.prefix) == ("header:X-Sig", "sha512", "base64", "v1=")
    assert (found.signed, found.timestamp, found.tolerance) == ("{ts}.{body}", "header:X-Time:s", MINUTE)


def test_a_header_is_where_a_token_stands() -> None:
    """For the scheme token, header names the credential's place; credential takes any selector."""
    assert generic(scheme="token", header="X-Token").verification.credential == "header:X-Token"
    found = one(provider="generic", verify={"scheme": "token"}, credential="query:code")
    assert found.verification.credential == "query:code"


def test_a_generic_sender_may_sign_with_a_key_of_its_own() -> None:
    """Its public key is the secret, or stands at an address of a host that is named."""
    published = {
        "scheme": "jwt",
        "header": "Authorization",
        "prefix": "Bearer ",
        "algorithm": "RS256",
        "key": "published:jwks",
        "key_url": "const:https://keys.example.com/jwks.json",
        "key_hosts": ["keys.example.com"],
        "audience": "orders",
        "issuer": "https://keys.example.com/",
        "claims": ["sub=shop"],
    }
    found = one(provider="generic", secrets=[], verify=published)
    assert found.verification.credential == "header:Authorization"
    assert (found.verification.key_hosts, found.verification.claims) == (("keys.example.com",), ("sub=shop",))
    assert found.state is TouchpointState.RUNNING
    pem = {"scheme": "asymmetric", "header": "X-Sig", "algorithm": "ed25519", "key": "pem", "encoding": "base64"}
    assert one(provider="generic", secrets=[], verify=pem).state is TouchpointState.SETUP
    assert wrong(provider="generic", secrets=[], verify={**published, "key_hosts": ["other.example.com"]}) == [
        ("touchpoint.t.verify", "verify_invalid")
    ]


def test_what_a_person_says_of_a_sender_stands_alone() -> None:
    """A written verification has no alternatives of the preset's beside it; without one they are there."""
    assert one(provider="hubspot").alternatives == provider("hubspot").other_verifications()
    assert one(provider="netsuite", verify={"scheme": "hmac", "header": "X-Sig"}).alternatives == ()
    assert (
        one(provider="gitlab", secrets=["a token", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]).state is TouchpointState.RUNNING
    )
    assert wrong(provider="gitlab", secrets=["whsec_no base64"]) == [("touchpoint.t.secrets[0]", "secret_malformed")]


def test_conditions_beside_the_proof() -> None:
    """Networks, and certificates by their fingerprints as tools show them."""
    prints = ["AB:" * 31 + "ab", " " + "0" * 64]
    found = one(networks=["192.0.2.0/24", "2001:db8::1"], client_certificates=prints)
    assert found.networks == ("192.0.2.0/24", "2001:db8::1")
    assert found.client_certificates == ("ab" * 32, "0" * 64)


def test_bodies_are_split_where_a_person_says_so() -> None:
    """A provider knows where its list stands; for a generic sender it is named."""
    generic_one = {"provider": "generic", "verify": {"scheme": "hmac", "header": "X-Sig"}}
    assert one(provider="hubspot").split is None
    assert one(provider="hubspot", split=True).split == ""
    assert one(provider="ms_graph", split=True).split == "/value"
    assert one(**generic_one, items="/events").split is None
    assert one(**generic_one, items="/events", split=True).split == "/events"
    assert one(**generic_one, items="", split=True).split == ""


def test_a_generic_sender_may_have_a_handshake() -> None:
    """Any kind that is known; a preset's is fixed."""
    unsigned = {"provider": "generic", "secrets": [], "verify": {"allow_unsigned": True}}
    assert one(**unsigned).handshake == ""
    assert one(**unsigned, handshake="echo_query:challenge").handshake == "echo_query:challenge"
    assert one(provider="slack").handshake == provider("slack").handshake


def test_dedup_keys_say_whether_the_signature_covers_them() -> None:
    """A key within the body is signed, a header beside it is not; a whole body is only remembered for minutes."""
    verify = {"scheme": "hmac", "header": "X-Sig"}
    keys = {
        key: one(provider="generic", verify=verify, dedup={"key": key}).dedup
        for key in ("json:/id", "header:X-Id", "body", "none")
    }
    assert keys["json:/id"] == Dedup(key="json:/id", signed=True, window=14 * DAY)
    assert keys["header:X-Id"] == Dedup(key="header:X-Id", signed=False, window=14 * DAY)
    assert keys["body"] == Dedup(key="body", signed=True, window=10 * MINUTE)
    assert keys["none"] == Dedup()


def test_destinations_are_typed() -> None:
    """Each kind takes its own keys, and a name left out is the kind."""
    http = {
        "kind": "http",
        "url": "https://erp/x",
        "headers": {"X-A": "1", "X-Gone": ""},
        "timeout": "5s",
        "auth": {"type": "bearer", "token": "tok"},
    }
    found = one(destination=[http, {"name": "in", "kind": "folder", "path": HERE, "metadata": True}]).destinations
    assert found == (
        HttpDestination(
            id=0,
            name="http",
            url="https://erp/x",
            headers=(("X-A", "1"),),
            timeout=5 * SECOND,
            auth=Auth(kind="bearer", secret="tok", name="X-API-Key"),
        ),
        FolderDestination(id=0, name="in", path=HERE, metadata=True),
    )


def test_retry_schedules_are_replaced_whole() -> None:
    """A written schedule stands instead of the default."""
    assert one(retry={"schedule": ["1s", "1m"]}).retry.schedule == (SECOND, MINUTE)
