"""Worked examples of the pull protocol, from fixed keys: what another implementation can compare itself with."""

import base64
import hashlib
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.touchpoints.pull import hpke
from touchpoints.pull.body import encode
from touchpoints.pull.call import KeyAnswer, Ready
from touchpoints.pull.declaration import Declaration, DeclaredToken, DeclaredTouchpoint, declaration_digest
from touchpoints.pull.frames import batch_to_json, encode_batch
from touchpoints.pull.key import exchange_public, signing_public
from touchpoints.pull.message import Acknowledged, Ask, Backlog, Batch, PullRequest, Sealed
from touchpoints.pull.packed import Packed, pack
from touchpoints.pull.pairing import PairAnswer, PairRequest, agent_proof, fingerprint, parse_code, proxy_proof
from touchpoints.pull.proof import answer_text, request_text, sign_answer, sign_renewal, sign_request
from touchpoints.pull.recovery import parse_recovery_key, recovery_box
from touchpoints.pull.sealing import SealingKey
from touchpoints.pull.text import parts
from touchpoints.pull.token import token_digest

AGENT_SIGNING = bytes(range(32))
AGENT_EXCHANGE = bytes(range(32, 64))
NEW_SIGNING = bytes(range(64, 96))
PROXY_SIGNING = bytes(range(96, 128))
ORGANISATION = bytes(range(128, 160))
ONE_TIME = bytes(range(160, 192))
DATA_KEY = bytes(range(192, 224))
OPENED = bytes(range(224, 256))
SEALING = exchange_public(ORGANISATION)
NUMBER = 7
AGENT = "01JD0000000000000000000AGT"
INCARNATION = "01JD0000000000000000000INC"
KEY_ID = "mrtwk5dfozswy4dsn5qxg2lomu"
EVENT_ID = "01JD0000000000000000000EVT"
CHALLENGE = "c3RhcnRpbmcgYWxsIG92ZXI"
RECEIVED = 1_795_000_000_000_000
CODE = "7K3M-9QWT-4HXD-V2RB-N8CF"
RECOVERY = "0J4K-8R2T-6XQD-5N3B-9WCF-7HMV-1G0P-2YZE"
TOKEN = "mfrggzdfmztwq2lknnwg23tpobyxe43u"

PULL = PullRequest(incarnation=INCARNATION, epoch=3, after=41, seen=41, settled=40, unsettled=1)
PATH = "/v1/pull"
COUNT = 20_260_311
ANSWER_BODY = encode(Acknowledged(accepted=True, incarnation=INCARNATION, epoch=3, position=42))
PACKED = Packed(
    event_id=EVENT_ID,
    touchpoint="orders",
    method="POST",
    target=f"/acme/orders/{TOKEN}?a=1",
    headers=((b"content-type", b"application/json"), (b"x-twice", b"1"), (b"x-twice", b"2")),
    remote="192.0.2.7",
    received_at=RECEIVED,
    body=b'{"id":1042}',
)
PAIRING = PairRequest(
    find=parse_code(CODE).find,
    name="till-1",
    version="1.0",
    nonce=bytes(range(16)),
    signing_key=signing_public(AGENT_SIGNING),
    exchange_key=exchange_public(AGENT_EXCHANGE),
    sealing_key=SEALING,
    recovery_box=recovery_box(
        ORGANISATION, parse_recovery_key(RECOVERY), sealing_key=SEALING, chance=lambda n: bytes(range(n))
    ),
)
PAIRED = PairAnswer(
    agent_id=AGENT,
    organisation=NUMBER,
    domain="acme",
    state="ready",
    sealing_key=SEALING,
    proxy_key=signing_public(PROXY_SIGNING),
    wildcard=False,
    nonce=bytes(range(16, 32)),
)
DECLARED = Declaration(
    touchpoints=(
        DeclaredTouchpoint(
            name="orders", aliases=("bestellungen",), tokens=(DeclaredToken(digest=token_digest(TOKEN), sealed=b"-"),)
        ),
    )
)


def sealed_event() -> bytes:
    """The packed request under the data key, as the first that it seals."""
    key = SealingKey(KEY_ID, DATA_KEY, organisation=NUMBER, prefix=b"\x01\x02\x03\x04", now=0)
    return key.seal(pack(PACKED), event_id=EVENT_ID)


def wrapped_data_key() -> bytes:
    """The data key for the organisation, with a one-time key that is fixed here alone."""
    one_time = X25519PrivateKey.from_private_bytes(ONE_TIME)
    return hpke.seal(DATA_KEY, SEALING, parts("data key", str(NUMBER), KEY_ID), one_time=one_time)


def wrapped_challenge() -> bytes:
    """What the agent must open to be ready, by the same one-time key."""
    one_time = X25519PrivateKey.from_private_bytes(ONE_TIME)
    return hpke.seal(OPENED, SEALING, parts("readiness", str(NUMBER), AGENT), one_time=one_time)


def batch() -> Batch:
    """One event, and one ask that is sealed alike."""
    sealed = sealed_event()
    digest = hashlib.sha256(sealed).digest()
    message = Sealed(seq=42, id=EVENT_ID, received_at=RECEIVED, key_id=KEY_ID, digest=digest, data=sealed)
    return Batch(
        incarnation=INCARNATION,
        epoch=3,
        lease_seconds=60.0,
        acknowledged=41,
        messages=(message,),
        keys={KEY_ID: wrapped_data_key()},
        backlog=Backlog(events=1, bytes=len(sealed), oldest=RECEIVED),
        declaration=declaration_digest(DECLARED),
    )


def with_ask() -> Batch:
    """The same with somebody waiting."""
    return replace(batch(), asks=(Ask(id="ask-1", key_id=KEY_ID, data=sealed_event(), seconds=2.5),))


def examples() -> dict[str, dict[str, str | bytes]]:
    """Heading → name → value; bytes are shown in hex."""
    body = encode(PULL)
    said = {"agent": AGENT, "method": "POST", "path": PATH, "challenge": CHALLENGE}
    signed = sign_request(AGENT_SIGNING, **said, count=COUNT, body=body)
    request = replace(PAIRING, proof=agent_proof(parse_code(CODE).secret, PAIRING))
    recovery = parse_recovery_key(RECOVERY)
    return {
        "Keys": {
            "agent's private signing key": AGENT_SIGNING,
            "agent's public signing key": PAIRING.signing_key,
            "agent's private exchange key": AGENT_EXCHANGE,
            "agent's public exchange key": PAIRING.exchange_key,
            "proxy's private signing key": PROXY_SIGNING,
            "proxy's public signing key": PAIRED.proxy_key,
            "organisation's private key": ORGANISATION,
            "organisation's public key": SEALING,
            "agent's fingerprint": fingerprint(PAIRING.signing_key, PAIRING.exchange_key),
        },
        "Signed request": {
            "body": body.decode(),
            "canonical text": request_text(**said, count=COUNT, body=body).decode(),
            "Hookport-Signature": base64.b64encode(signed.signature).decode(),
        },
        "Signed answer": {
            "body": ANSWER_BODY.decode(),
            "canonical text": answer_text(signature=signed.signature, status=200, body=ANSWER_BODY).decode(),
            "Hookport-Proof": sign_answer(PROXY_SIGNING, signature=signed.signature, status=200, body=ANSWER_BODY),
        },
        "Renewal of the signing key": {
            "new private signing key": NEW_SIGNING,
            "signed text": parts("renew", AGENT, PAIRING.signing_key),
            "proof": sign_renewal(NEW_SIGNING, agent=AGENT, old_public=PAIRING.signing_key),
        },
        "Pairing": {
            "code": CODE,
            "request": encode(request).decode(),
            "proof of the request": request.proof,
            "answer": encode(replace(PAIRED, proof=proxy_proof(parse_code(CODE).secret, PAIRING, PAIRED))).decode(),
            "proof of the answer": proxy_proof(parse_code(CODE).secret, PAIRING, PAIRED),
        },
        "Readiness": {
            "answer to GET /v1/key": encode(KeyAnswer(state="waiting", challenge=wrapped_challenge())).decode(),
            "challenge": wrapped_challenge(),
            "body of POST /v1/ready": encode(Ready(secret=OPENED)).decode(),
        },
        "Recovery": {
            "recovery key": RECOVERY,
            "its 20 bytes": recovery,
            "recovery box": PAIRING.recovery_box,
        },
        "Token and declaration": {
            "token": TOKEN,
            "its digest": token_digest(TOKEN),
            "digest of a declaration (touchpoint orders, alias bestellungen, POST, empty, that token)": declaration_digest(
                DECLARED
            ),
        },
        "Sealed event": {
            "packed request": pack(PACKED),
            "data key's id": KEY_ID,
            "data key": DATA_KEY,
            "data key wrapped for the organisation": wrapped_data_key(),
            "event's id": EVENT_ID,
            "bound data": parts("event", str(NUMBER), KEY_ID) + EVENT_ID.encode(),
            "sealed": sealed_event(),
        },
        "Batch": {"in frames": encode_batch(batch()), "as JSON": batch_to_json(batch()).decode()},
    }


def document() -> str:
    """The examples as the protocol's page shows them."""
    shown = []
    for heading, values in examples().items():
        shown.append(f"### {heading}")
        for name, value in values.items():
            text = value.hex() if isinstance(value, bytes) else value
            shown.append(f"{name}:\n\n```text\n{text.rstrip()}\n```")
    return "\n\n".join(shown)
