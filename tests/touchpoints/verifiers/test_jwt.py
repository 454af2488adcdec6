"""JSON Web Tokens, right, wrong and hostile."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, URL, make_request, make_touchpoint
from tests.touchpoints.keys import ec_key, ed_key, jws, pem, private_pem, published, rsa_key, signature
from tests.touchpoints.verifiers.keyed import at_hand, outcome
from touchpoints.moment import MINUTE, SECOND
from touchpoints.published_key import KeyPlace
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import needs_secret, verification_problem
from touchpoints.verifiers.jwt import LONGEST_IN_HEADER, LONGEST_TOKEN, MOST_TOKENS
from touchpoints.verifiers.qsh import qsh

STAMP = NOW // SECOND
SHARED = "s" * 32
OPENID = "https://login.example.com/common/.well-known/openid-configuration"
PLACE = KeyPlace(kind="openid", url=OPENID)


def generic(*secrets: str, **fields: Any) -> Touchpoint:
    settings = {"credential": "header:authorization", "prefix": "Bearer ", "algorithm": "RS256", "key": "pem", **fields}
    return make_touchpoint("generic", *secrets, verification=Verification(scheme="jwt", **settings))


def claims(**more: Any) -> dict[str, Any]:
    made = {"iat": STAMP, "exp": STAMP + 60, **more}
    return {name: value for name, value in made.items() if value is not None}


def bearer(token: str, word: str = "Bearer") -> tuple[tuple[bytes, bytes], ...]:
    return ((b"authorization", f"{word} {token}".encode()),)


def why(token: str, touchpoint: Touchpoint, **options: Any) -> Any:
    return outcome(make_request(b"{}", bearer(token)), touchpoint, **options)


@pytest.mark.parametrize(
    ("algorithm", "key", "other"),
    [
        ("RS256", rsa_key(), rsa_key("other")),
        ("RS384", rsa_key(), rsa_key("other")),
        ("RS512", rsa_key(), rsa_key("other")),
        ("PS256", rsa_key(), rsa_key("other")),
        ("ES256", ec_key(), ec_key("other")),
        ("EdDSA", ed_key(), ed_key("other")),
    ],
)
def test_only_a_token_by_one_of_the_keys_is_proved(algorithm: str, key: Any, other: Any) -> None:
    """In every algorithm, with two keys while rotating."""
    token = jws(claims(), key, algorithm)
    for secrets in ((pem(key),), (pem(other), pem(key))):
        assert why(token, generic(*secrets, algorithm=algorithm)) == ""
    assert why(token, generic(pem(other), algorithm=algorithm)) == "signature_wrong"
    assert why(token, generic("no key", algorithm=algorithm)) == "secret_unusable"
    assert why(token, generic(algorithm=algorithm)) == "no_secret"
    head, payload, mark = token.split(".")
    more = base64.urlsafe_b64encode(json.dumps(claims(admin=True)).encode()).decode().rstrip("=")
    assert why(f"{head}.{more}.{mark}", generic(pem(key), algorithm=algorithm)) == "signature_wrong"
    assert why(f"{head}.{payload}.", generic(pem(key), algorithm=algorithm)) == "signature_wrong"


def unsigned(header: dict[str, Any], mark: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims()).encode(), mark]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_the_tokens_own_word_is_not_taken_for_the_algorithm() -> None:
    """`none`, and the public key taken for a shared secret: the two oldest tricks."""
    touchpoint = generic(pem(rsa_key()))
    for algorithm in ("none", "None", "NONE", "", "HS256", "RS512", "rs256", None, 7):
        assert why(unsigned({"alg": algorithm}), touchpoint) == "algorithm_not_allowed"
    signed = unsigned({"alg": "HS256"}).rpartition(".")[0]
    for secret in (pem(rsa_key()), pem(rsa_key()).strip()):
        mark = base64.urlsafe_b64encode(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256)).decode().rstrip("=")
        assert why(f"{signed}.{mark}", touchpoint) == "algorithm_not_allowed"
    assert why(unsigned({}), touchpoint) == "algorithm_not_allowed"


def test_tokens_that_no_library_of_ours_made() -> None:
    """Signed by hand, by the letter of RFC 7515: PyJWT does not only agree with itself."""

    def made(algorithm: str, sign: Callable[[bytes], bytes]) -> str:
        signed = unsigned({"alg": algorithm}).rpartition(".")[0]
        return f"{signed}.{base64.urlsafe_b64encode(sign(signed.encode())).decode().rstrip('=')}"

    def in_two_halves(data: bytes) -> bytes:
        r, s = decode_dss_signature(signature("ecdsa-sha256", ec_key(), data))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    by_rsa = made("RS256", partial(signature, "rsa-sha256", rsa_key()))
    by_pss = made("PS256", partial(signature, "rsa-pss-sha256", rsa_key()))
    by_secret = made("HS256", lambda data: hmac.digest(SHARED.encode(), data, hashlib.sha256))
    assert why(by_rsa, generic(pem(rsa_key()))) == ""
    assert why(by_pss, generic(pem(rsa_key()), algorithm="PS256")) == ""
    assert why(by_secret, generic(SHARED, key="utf8", algorithm="HS256")) == ""
    assert why(made("ES256", in_two_halves), generic(pem(ec_key()), algorithm="ES256")) == ""
    whole = made("ES256", partial(signature, "ecdsa-sha256", ec_key()))
    assert why(whole, generic(pem(ec_key()), algorithm="ES256")) == "signature_wrong"


def test_a_key_that_the_token_brings_or_names_is_not_used() -> None:
    """`jwk`, `jku`, `x5u` and `x5c` are a stranger's word; an extension that must be understood is refused."""
    headers: list[dict[str, Any]] = [
        {"jwk": {"kty": "RSA"}},
        {"jku": "https://evil.example/"},
        {"x5u": "https://evil.example/"},
        {"x5c": ["AAAA"]},
    ]
    for header in headers:
        assert why(jws(claims(), rsa_key("other"), **header), generic(pem(rsa_key()))) == "signature_wrong"
    assert why(jws(claims(), rsa_key(), crit=["x"], x=1), generic(pem(rsa_key()))) == "signature_malformed"


def test_a_shared_secret() -> None:
    """HS256, of which no short one is used."""
    touchpoint = generic(SHARED, key="utf8", algorithm="HS256")
    assert why(jws(claims(), SHARED, "HS256"), touchpoint) == ""
    assert why(jws(claims(), "x" * 32, "HS256"), touchpoint) == "signature_wrong"
    assert why(jws(claims(), SHARED, "HS256"), generic("short", key="utf8", algorithm="HS256")) == "secret_unusable"
    assert why(jws(claims(), "x" * 64, "HS512"), touchpoint) == "algorithm_not_allowed"
    for algorithm, least in (("HS256", 32), ("HS384", 48), ("HS512", 64)):
        for length, code in ((least, ""), (least - 1, "secret_unusable")):
            secret = "s" * length
            made = unsigned({"alg": algorithm}).rpartition(".")[0]
            mark = hmac.digest(secret.encode(), made.encode(), "sha" + algorithm[2:])
            token = f"{made}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"
            assert why(token, generic(secret, key="utf8", algorithm=algorithm)) == code


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, ""),
        ({"exp": STAMP - 299}, ""),
        ({"exp": STAMP - 301}, "timestamp_stale"),
        ({"exp": None, "iat": STAMP - 299}, ""),
        ({"exp": None, "iat": STAMP - 301}, "timestamp_stale"),
        ({"exp": STAMP + 999_999, "iat": None}, ""),
        ({"exp": None, "iat": None}, "timestamp_missing"),
        ({"nbf": STAMP + 299}, ""),
        ({"nbf": STAMP + 301}, "timestamp_future"),
        ({"iat": STAMP + 301}, "timestamp_future"),
        ({"exp": STAMP + 0.5}, ""),
        ({"exp": str(STAMP + 60)}, "timestamp_malformed"),
        ({"exp": True}, "timestamp_malformed"),
        ({"exp": [STAMP]}, "timestamp_malformed"),
        ({"exp": 1e300}, "timestamp_malformed"),
        ({"nbf": "x"}, "timestamp_malformed"),
    ],
)
def test_a_token_is_taken_while_it_is_valid(changed: dict[str, Any], code: str) -> None:
    """Within the tolerance, in both directions; by when it came, not by when it is looked at."""
    assert why(jws(claims(**changed), rsa_key()), generic(pem(rsa_key()))) == code


def test_a_payload_that_is_no_object_is_refused() -> None:
    """Though it is signed."""
    from jwt import PyJWS

    for payload in (b"", b"[]", b"7", b"\xff", b"{"):
        token = PyJWS().encode(payload, rsa_key(), algorithm="RS256")
        assert why(token, generic(pem(rsa_key()))) == "signature_malformed"


def test_where_the_token_stands() -> None:
    """Once, after its word in any case; missing, repeated and endless ones are refused."""
    touchpoint, token = generic(pem(rsa_key())), jws(claims(), rsa_key())
    for word in ("Bearer", "bearer", "BEARER"):
        assert outcome(make_request(b"{}", bearer(token, word)), touchpoint) == ""
    elsewhere = generic(pem(rsa_key()), credential="", signature="header:x-token", prefix="")
    assert outcome(make_request(b"{}", ((b"x-token", token.encode()),)), elsewhere) == ""
    assert outcome(make_request(b"{}", bearer(token, "Basic")), touchpoint) == "credential_malformed"
    assert outcome(make_request(b"{}", ()), touchpoint) == "credential_missing"
    assert outcome(make_request(b"{}", (*bearer(token), *bearer(token))), touchpoint) == "signature_ambiguous"
    assert why("x" * LONGEST_IN_HEADER, touchpoint) == "credential_malformed"
    for wrong in ("", ".", "..", "a.b.c", token + ".x", token[:-4] + "!!!!", f"{token}\n{token}", "\xe9"):
        assert why(wrong, touchpoint) in {"signature_malformed", "signature_wrong"}, wrong


def test_the_whole_body_as_a_token() -> None:
    """As Wix sends (dev.wix.com: about webhooks): the key is the app's, and nothing of the body is unsigned."""
    touchpoint = make_touchpoint("wix", pem(rsa_key()))
    token = jws(claims(data='{"eventType":"x","data":"{\\"id\\":\\"7\\"}"}'), rsa_key())
    assert outcome(make_request(token.encode()), touchpoint) == ""
    assert outcome(make_request(token.encode() + b"\n"), touchpoint) == ""
    assert outcome(make_request(token.encode() + b"x"), touchpoint) in {"signature_wrong", "signature_malformed"}
    assert outcome(make_request(jws(claims(), rsa_key("other")).encode()), touchpoint) == "signature_wrong"
    assert outcome(make_request(b"x" * (LONGEST_TOKEN + 1)), touchpoint) == "signature_malformed"
    assert outcome(make_request(b""), touchpoint) == "signature_malformed"


LISTED = {"credential": "json:/validationTokens/*", "prefix": "", "audience": "app"}


def test_every_token_of_a_list_must_be_right() -> None:
    """As those of Microsoft Graph: one for each application and tenant (learn.microsoft.com: changeNotificationCollection)."""
    touchpoint = generic(pem(rsa_key()), **LISTED)
    right, wrong = jws(claims(aud="app"), rsa_key()), jws(claims(aud="other"), rsa_key())

    def of(*tokens: Any) -> Any:
        return outcome(make_request(json.dumps({"validationTokens": tokens}).encode()), touchpoint)

    assert of(right) == ""
    assert of(right, right) == ""
    assert of(right, wrong) == "audience_wrong"
    assert of(wrong, right) == "audience_wrong"
    assert of(right, jws(claims(aud="app"), rsa_key("other"))) == "signature_wrong"
    assert of() == "credential_missing"
    assert of(*[right] * (MOST_TOKENS + 1)) == "signature_malformed"


def entra(*secrets: str, **fields: Any) -> Touchpoint:
    """As Microsoft Entra signs for Event Grid (learn.microsoft.com: secure WebHook delivery)."""
    settings = {
        "key": "published:openid",
        "key_url": f"const:{OPENID}",
        "audience": "{secret:2}",
        "issuer": "https://sts.windows.net/{secret:1}/|https://login.microsoftonline.com/{secret:1}/v2.0",
        "claims": ("appid|azp=4962773b-9cdb-44cf-a8bf-237846a00ab7",),
        **fields,
    }
    return generic(*secrets, **settings)


GRANTED = {"aud": "app", "iss": "https://sts.windows.net/tenant/", "appid": "4962773b-9cdb-44cf-a8bf-237846a00ab7"}
AT_HAND = at_hand(published(PLACE, one=rsa_key(), two=rsa_key("other")))


def test_a_published_key_and_what_must_be_claimed() -> None:
    """All of it by the same secret: anybody may have a token of the same issuer for somebody else."""
    touchpoint = entra("tenant:app")

    def of(touchpoint: Touchpoint = touchpoint, **more: Any) -> Any:
        return why(jws(claims(**{**GRANTED, **more}), rsa_key(), kid="one"), touchpoint, keys=AT_HAND)

    assert of() == ""
    assert of(aud=["x", "app"]) == ""
    assert of(iss="https://login.microsoftonline.com/tenant/v2.0", appid=None, azp=GRANTED["appid"]) == ""
    assert of(entra("x:y", "tenant:app")) == ""
    assert of(aud="other") == "audience_wrong"
    assert of(aud=None) == "audience_wrong"
    assert of(aud=[]) == "audience_wrong"
    assert of(aud={"app": 1}) == "audience_wrong"
    assert of(iss="https://sts.windows.net/other/") == "issuer_wrong"
    assert of(iss=["https://sts.windows.net/tenant/"]) == "issuer_wrong"
    assert of(appid="other") == "claim_wrong"
    assert of(appid=None) == "claim_wrong"
    assert of(entra("tenant:x", "other:app")) in {"audience_wrong", "issuer_wrong"}
    assert of(entra("tenant", "app")) == "audience_wrong"
    assert of(entra("tenant:")) == "audience_wrong"


def test_a_key_is_wanted_until_it_is_at_hand() -> None:
    """The one that the token names; without a name each of them is tried."""
    touchpoint = entra("tenant:app")
    one, three = (jws(claims(**GRANTED), rsa_key(), kid=name) for name in ("one", "three"))
    assert why(one, touchpoint) == (PLACE,)
    assert why(three, touchpoint, keys=AT_HAND) == (PLACE,)
    assert why(jws(claims(**GRANTED), rsa_key(), kid="two"), touchpoint, keys=AT_HAND) == "signature_wrong"
    assert why(jws(claims(**GRANTED), rsa_key("other")), touchpoint, keys=AT_HAND) == ""
    assert why(jws(claims(**GRANTED), ec_key(), "ES256", kid="one"), touchpoint, keys=AT_HAND) == "algorithm_not_allowed"
    for name in ("../../x", "x" * 10_000, "\u2603", ""):
        token = jws(claims(**GRANTED), rsa_key("stranger"), kid=name)
        assert why(token, touchpoint, keys=AT_HAND) in {(PLACE,), "signature_wrong"}


@pytest.mark.parametrize("name", [7, None, [], ["one"], {}, True])
def test_a_name_of_a_key_that_is_no_text_is_refused(name: Any) -> None:
    """Before it is looked for."""
    token = unsigned({"alg": "RS256", "kid": name}, b"x")
    assert why(token, entra("tenant:app"), keys=AT_HAND) == "signature_malformed"


def test_who_needs_a_secret() -> None:
    """Keys of one's own, and whatever is compared with one."""
    assert needs_secret(generic().verification)
    assert needs_secret(entra().verification)
    fixed = entra(audience="app", issuer="https://sts.windows.net/tenant/")
    assert not needs_secret(fixed.verification)
    assert why(jws(claims(**GRANTED), rsa_key(), kid="one"), fixed, keys=AT_HAND) == ""


JIRA = {"key": "utf8", "algorithm": "HS256", "prefix": "JWT ", "claims": ("qsh={qsh}",)}


def test_the_query_string_hash_of_atlassian() -> None:
    """developer.atlassian.com, query string hash: its two examples, repeated values, and an order of its own."""

    def of(method: str, url: str) -> str:
        return qsh(make_request(method=method, url=url))

    def hashed(canonical: str) -> str:
        return hashlib.sha256(canonical.encode()).hexdigest()

    base = "https://hooks.example.com"
    assert of("get", f"{base}?param=foo") == hashed("GET&/&param=foo")
    assert of("POST", f"{base}/user") == hashed("POST&/user&")
    assert of("POST", f"{base}/user/") == hashed("POST&/user&")
    assert of("GET", f"{base}/a%26b&c?x=2&x=1&b=%20+y~&a&jwt=t") == hashed("GET&/a%26b%26c&a=&b=%20%20y~&x=1,2")
    assert of("GET", f"{base}/?" + "a=1&" * 1000) == ""


def test_a_token_for_another_request_is_refused() -> None:
    """Its hash is of the method, the path and the query that the sender was given."""
    touchpoint = generic(SHARED, **JIRA)

    def of(made: str, url: str = URL) -> Any:
        token = jws(claims(qsh=made), SHARED, "HS256")
        return outcome(make_request(b"{}", bearer(token, "JWT"), url=url), touchpoint)

    right = hashlib.sha256(b"POST&/hooks/orders&").hexdigest()
    assert of(right) == ""
    assert of(right, f"{URL}?x=1") == "claim_wrong"
    assert of("context-qsh") == "claim_wrong"
    assert of("") == "claim_wrong"
    assert of("", f"{URL}?" + "a&" * 1001) == "claim_wrong"


def test_a_hash_of_the_body_in_a_claim() -> None:
    """What a bearer's token alone does not vouch for."""
    touchpoint = generic(pem(rsa_key()), claims=("body=sha256:{sha256hex_body}",))
    token = jws(claims(body="sha256:" + hashlib.sha256(b"{}").hexdigest()), rsa_key())
    assert why(token, touchpoint) == ""
    assert outcome(make_request(b"{} ", bearer(token)), touchpoint) == "claim_wrong"


def test_a_claim_whose_part_is_missing_fits_nothing() -> None:
    """Not even what is left of it."""
    touchpoint = generic(pem(rsa_key()), claims=("order=no-{json:/id}",))

    def of(claimed: str, body: bytes) -> Any:
        return outcome(make_request(body, bearer(jws(claims(order=claimed), rsa_key()))), touchpoint)

    assert of("no-7", b'{"id":7}') == ""
    assert of("no-8", b'{"id":7}') == "claim_wrong"
    assert of("no-", b"{}") == "claim_wrong"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"algorithm": "none"}, "algorithm"),
        ({"algorithm": "sha256"}, "algorithm"),
        ({"algorithm": ""}, "algorithm"),
        ({"algorithm": "RS256|HS256"}, "both kinds"),
        ({"algorithm": "HS256"}, "utf8"),
        ({"algorithm": "RS256", "key": "utf8"}, "utf8"),
        ({"key": "whsec"}, "key"),
        ({"credential": ""}, "credential"),
        ({"credential": "nowhere"}, "nowhere"),
        ({"claims": ("x",)}, "name=value"),
        ({"claims": ("=x",)}, "name=value"),
        ({"claims": ("x=",)}, "value"),
        ({"claims": ("x={nowhere}",)}, "nowhere"),
        ({"audience": "{secret"}, "brace"),
        ({"key": "published:jwks", "key_url": "const:https://keys.example.com/"}, "audience"),
    ],
)
def test_fields_that_do_not_fit_each_other_are_told(fields: dict[str, Any], reason: str) -> None:
    """Before anything is received by them."""
    settings = {"scheme": "jwt", "credential": "header:authorization", "algorithm": "RS256", "key": "pem"}
    found = verification_problem(Verification(**{**settings, **fields}))
    assert found is not None
    assert found.code == "verify_invalid"
    assert reason in found.text


SEGMENT = st.binary(max_size=30).map(lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=")) | st.binary(max_size=10)
HEADER = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x"]),
    st.sampled_from(["RS256", "HS256", "none", True, False, None, 7, "x", [], ["b64"], {}]),
).map(lambda header: base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"="))


@given(st.lists(HEADER | SEGMENT, max_size=5).map(b".".join))
def test_no_token_raises_and_none_is_proved_by_chance(token: bytes) -> None:
    """Whatever its parts are."""
    headers = ((b"authorization", b"Bearer " + token),)
    touchpoints = [
        generic(pem(rsa_key())),
        generic(SHARED, key="utf8", algorithm="HS256"),
        entra("tenant:app"),
        generic(pem(rsa_key()), credential="body", prefix=""),
    ]
    for touchpoint in touchpoints:
        assert outcome(make_request(token, headers), touchpoint, AT_HAND) != ""


VALUE = st.none() | st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
NAMES = ["exp", "iat", "nbf", "aud", "iss", "appid", "azp"]


@given(st.dictionaries(st.sampled_from(NAMES), VALUE | st.lists(VALUE)))
def test_no_claims_raise(made: dict[str, Any]) -> None:
    """Also of a token that is rightly signed."""
    token = jws(made, rsa_key(), kid="one")
    assert why(token, entra("tenant:app"), keys=AT_HAND) != ""


def test_a_token_that_is_verified_again_later_is_judged_by_when_it_came() -> None:
    """Its time of receipt is what `now` is."""
    token = jws(claims(), rsa_key())
    assert why(token, generic(pem(rsa_key())), now=NOW + 6 * MINUTE) == ""
    assert why(token, generic(pem(rsa_key())), now=NOW + 7 * MINUTE) == "timestamp_stale"


def test_nothing_of_it_is_loaded_before_it_is_asked_for() -> None:
    """`hookport --version` and the start pay nothing for it."""
    code = "import sys, touchpoints.verification; sys.exit(not sys.modules.keys().isdisjoint({'jwt', 'cryptography'}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_private_key_proves_nothing() -> None:
    """Entered by mistake, it is not used."""
    assert why(jws(claims(), rsa_key()), generic(private_pem(rsa_key()))) == "secret_unusable"
