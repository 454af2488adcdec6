"""The worked examples of the protocol's page: they never change by themselves, and our own code takes them."""

import hashlib
import re
from dataclasses import fields
from typing import Any

from tests.docs.page import DOCS, blocks
from tests.touchpoints.pull import vectors
from touchpoints.pull.body import decode, encode
from touchpoints.pull.frames import batch_from_json, batch_to_json, decode_batch, encode_batch, untouched
from touchpoints.pull.message import Ask, Batch, PullRequest, Sealed
from touchpoints.pull.packed import unpack
from touchpoints.pull.pairing import PairAnswer, PairRequest, check_agent_proof, check_proxy_proof, parse_code
from touchpoints.pull.proof import check_request, read_proof
from touchpoints.pull.recovery import open_recovery_box, parse_recovery_key
from touchpoints.pull.sealing import open_data_key
from touchpoints.pull.shape import REPLY_HEADERS, SHAPES

PAGE = DOCS / "pull-protocol.md"

# Version 1 as it was published. Whoever changes it makes paired agents and proxies unable to speak: that needs a version 2.
PUBLISHED = "46d170520dc27e22f14dce8a27c541abfd13ada6c4e3e7259dee66c3100b85e5"


def test_version_1_is_what_it_was() -> None:
    """Every example together."""
    assert hashlib.sha256(vectors.document().encode()).hexdigest() == PUBLISHED


def test_the_batch_of_the_page_is_opened() -> None:
    """From frames and from JSON, down to the sender's bytes."""
    found = vectors.examples()["Batch"]
    framed, written = found["in frames"], found["as JSON"]
    assert isinstance(framed, bytes)
    assert isinstance(written, str)
    for batch in (decode_batch(framed), batch_from_json(written.encode())):
        assert untouched(batch)
        message = batch.messages[0]
        key = open_data_key(message.key_id, batch.keys[message.key_id], vectors.ORGANISATION, organisation=vectors.NUMBER)
        assert unpack(key.open(message.data, event_id=message.id)) == vectors.PACKED
    asked = vectors.with_ask()
    assert decode_batch(encode_batch(asked)) == batch_from_json(batch_to_json(asked)) == asked


def test_the_pairing_of_the_page_holds() -> None:
    """Both proofs, and the recovery key opens the box."""
    found = vectors.examples()["Pairing"]
    request, answer = decode(PairRequest, str(found["request"]).encode()), decode(PairAnswer, str(found["answer"]).encode())
    secret = parse_code(str(found["code"])).secret

    assert check_agent_proof(secret, request)
    assert check_proxy_proof(secret, request, answer)
    key = parse_recovery_key(vectors.RECOVERY)
    assert open_recovery_box(request.recovery_box, key, sealing_key=answer.sealing_key) == vectors.ORGANISATION


def test_the_agent_of_the_page_signs() -> None:
    """Its few lines make headers that a proxy takes, and check an answer."""
    spoken: dict[str, Any] = {}
    for block in blocks(PAGE, "python"):
        exec(compile(block.text, PAGE.name, "exec"), spoken)  # noqa: S102 - our own document's code
    body = encode(PullRequest())
    headers = spoken["signed"](vectors.AGENT_SIGNING, "agent-1", "POST", "/v1/pull", "challenge-1", 5, body)
    proof = read_proof({name.lower(): value for name, value in headers.items()})
    assert proof is not None
    assert check_request(vectors.PAIRING.signing_key, proof, method="POST", path="/v1/pull", body=body)

    given = vectors.examples()
    signature = str(given["Signed request"]["Hookport-Signature"])
    answer = (vectors.PAIRED.proxy_key, str(given["Signed answer"]["Hookport-Proof"]), signature, 200)
    assert spoken["proved"](*answer, vectors.ANSWER_BODY)
    assert not spoken["proved"](*answer, vectors.ANSWER_BODY + b" ")


def test_every_field_stands_on_the_page() -> None:
    """Of every body, of batches, messages and asks; and every header that a reply may have."""
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_0-9-]+)`", text))
    kinds = [*SHAPES, Batch, Sealed, Ask]

    assert {f"{kind.__name__}.{field.name}" for kind in kinds for field in fields(kind) if field.name not in named} == set()
    assert {name.decode() for name in REPLY_HEADERS} - named == set()
