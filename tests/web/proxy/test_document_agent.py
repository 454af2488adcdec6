"""An agent written from docs/pull-protocol.md alone: nothing of ours that speaks the protocol is imported."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import struct
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.web.proxy.kit import MACHINE, Site

pytestmark = pytest.mark.anyio

HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def parts(*found: str | bytes) -> bytes:
    """The page's *parts(label, a, b, …)*."""
    pieces = [one if isinstance(one, bytes) else one.encode() for one in ("hookport-pull/1", *found)]
    return b"".join(struct.pack(">I", len(one)) + one for one in pieces)


def derived(secret: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(secret)


class DocumentAgent:
    """Pairs, declares, pulls as JSON, opens, acknowledges and replies."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self.http, self.url = http, url
        self.signing, self.exchange, self.organisation_key = (
            Ed25519PrivateKey.generate(),
            X25519PrivateKey.generate(),
            X25519PrivateKey.generate(),
        )
        self.challenge, self.count = "none", int.from_bytes(os.urandom(7))
        self.agent, self.organisation = "", ""
        self.domain, self.proxy_key = "", b""
        self.recovery = os.urandom(20)

    async def pair(self, code: str) -> None:
        find, secret = code[:4], code[4:].replace("-", "")
        sealing = self.organisation_key.public_key().public_bytes_raw()
        salt = os.urandom(16)
        box = AESGCM(derived(self.recovery, salt, parts("recovery key"))).encrypt(
            bytes(12), self.organisation_key.private_bytes_raw(), parts("recovery box", sealing)
        )
        sent: list[str | bytes] = [
            find,
            "page",
            "0.1",
            os.urandom(16),
            self.signing.public_key().public_bytes_raw(),
            self.exchange.public_key().public_bytes_raw(),
            sealing,
            b"\x01" + salt + box,
        ]
        key = derived(secret.encode(), None, parts("pairing key"))
        names = ["find", "name", "version", "nonce", "signing_key", "exchange_key", "sealing_key", "recovery_box"]
        body = {name: one if isinstance(one, str) else b64(one) for name, one in zip(names, sent, strict=True)}
        body["proof"] = b64(hmac.digest(key, parts("pair request", *sent), "sha256"))
        told = (await self.http.post(f"{self.url}/v1/pair", json=body)).json()
        raw = {name: base64.b64decode(told[name]) for name in ("sealing_key", "proxy_key", "nonce", "proof")}
        self.organisation, self.agent, self.domain = str(told["organisation"]), told["agent_id"], told["domain"]
        answered = [self.agent, self.organisation, self.domain, told["state"], raw["sealing_key"], raw["proxy_key"]]
        bound = parts("pair answer", *sent, *answered, "wildcard" if told["wildcard"] else "", raw["nonce"])
        assert hmac.compare_digest(hmac.digest(key, bound, "sha256"), raw["proof"])
        assert (told["state"] == "ready") == (raw["sealing_key"] == sealing)
        self.proxy_key = raw["proxy_key"]

    async def recover(self, recovery: bytes) -> None:
        """Get the organisation's key by the recovery key, and prove that it is here."""
        told = await self.call("GET", "/v1/recovery")
        sealing, box = base64.b64decode(told["sealing_key"]), base64.b64decode(told["recovery_box"])
        cipher = AESGCM(derived(recovery, box[1:17], parts("recovery key")))
        private = cipher.decrypt(bytes(12), box[17:], parts("recovery box", sealing))
        self.organisation_key = X25519PrivateKey.from_private_bytes(private)
        assert self.organisation_key.public_key().public_bytes_raw() == sealing
        handed = await self.call("GET", "/v1/key")
        assert (handed["state"], handed["wrapped_key"]) == ("waiting", "")
        info = parts("readiness", self.organisation, self.agent)
        secret = HPKE.decrypt(base64.b64decode(handed["challenge"]), self.organisation_key, info)
        await self.call("POST", "/v1/ready", secret=b64(secret))
        assert (await self.call("GET", "/v1/key"))["state"] == "ready"

    async def call(self, method: str, path: str, **fields: Any) -> Any:
        body = json.dumps(fields).encode()
        for _ in range(2):
            self.count += 1
            lines = ["hookport-pull/1 request", self.agent, method, path, self.challenge, str(self.count)]
            text = "".join(f"{line}\n" for line in (*lines, hashlib.sha256(body).hexdigest()))
            signature = b64(self.signing.sign(text.encode()))
            headers = {
                "accept": "application/json",
                "accept-encoding": "identity",
                "hookport-agent": self.agent,
                "hookport-challenge": self.challenge,
                "hookport-count": str(self.count),
                "hookport-signature": signature,
            }
            answer = await self.http.request(method, self.url + path, content=body, headers=headers)
            said = ["hookport-pull/1 answer", signature, str(answer.status_code), hashlib.sha256(answer.content).hexdigest()]
            proof = base64.b64decode(answer.headers["hookport-proof"])
            Ed25519PublicKey.from_public_bytes(self.proxy_key).verify(proof, "".join(f"{line}\n" for line in said).encode())
            if answer.status_code != 401:
                assert answer.status_code == 200, answer.text
                return answer.json()
            self.challenge = answer.headers["hookport-challenge"]
        raise AssertionError("the challenge was not taken")

    async def declare(self, name: str, **fields: Any) -> str:
        """The endpoint URL."""
        token = base64.b32encode(os.urandom(20)).decode().lower()
        info = parts("token", self.organisation, name)
        sealed = HPKE.encrypt(token.encode(), self.organisation_key.public_key(), info)
        one = {"digest": b64(hashlib.sha256(token.encode()).digest()), "sealed": b64(sealed)}
        told = await self.call("PUT", "/v1/declaration", touchpoints=[{"name": name, "tokens": [one], **fields}])
        assert told["counts"]
        return f"{self.url}/{self.domain}/{name}/{token}"

    def opened(self, batch: Any, sealed: Any) -> dict[str, Any]:
        """A message or an ask, out of its seal, as a packed request says it."""
        key_id, data = sealed["key_id"], base64.b64decode(sealed["data"])
        wrapped = base64.b64decode(batch["keys"][key_id])
        key = HPKE.decrypt(wrapped, self.organisation_key, parts("data key", self.organisation, key_id))
        bound = parts("event", self.organisation, key_id) + sealed["id"].encode()
        packed = AESGCM(key).decrypt(data[:12], data[12:], bound)
        version, received_at, *lengths = struct.unpack(">BQIIIIIIQ", packed[:41])
        assert version == 1
        *texts, headers, body = lengths
        sizes = struct.unpack(f">{2 * headers}I", packed[41 : 41 + 8 * headers])
        pieces, place = [], 41 + 8 * headers
        for size in (*texts, *sizes, body):
            pieces.append(packed[place : place + size])
            place += size
        assert place == len(packed)
        names = ("event_id", "touchpoint", "method", "target", "remote")
        found: dict[str, Any] = dict(zip(names, (piece.decode() for piece in pieces), strict=False))
        assert found["event_id"] == sealed["id"]
        pairs = [*zip(pieces[5:-1:2], pieces[6:-1:2], strict=True)]
        return {**found, "received_at": received_at, "headers": pairs, "body": pieces[-1]}


async def test_an_agent_made_from_the_page_works(site: Site) -> None:
    """Paired, declared, an event pulled, opened and acknowledged, a challenge answered; every proof of the proxy holds."""
    agent = DocumentAgent(site.http, site.url)
    await agent.pair(await site.organisation("acme"))
    first = await agent.call("POST", "/v1/pull", wait=0)
    url = await agent.declare("orders", handshake="json_challenge:url_verification")
    assert (await site.http.post(f"{url}?a=1", content=b"\xff{}", headers={"x-odd": "b"})).status_code == 200

    lane = {"incarnation": first["incarnation"], "epoch": first["epoch"]}
    batch = await agent.call("POST", "/v1/pull", **lane, wait=5)
    [message] = batch["messages"]
    assert base64.b64decode(message["digest"]) == hashlib.sha256(base64.b64decode(message["data"])).digest()
    event = agent.opened(batch, message)
    assert (event["touchpoint"], event["method"], event["body"]) == ("orders", "POST", b"\xff{}")
    assert url.removeprefix(site.url) + "?a=1" == event["target"]
    assert event["received_at"] == message["received_at"]
    assert (b"x-odd", b"b") in event["headers"]
    told = await agent.call("POST", "/v1/acknowledge", **lane, to=message["seq"], id=message["id"])
    assert (told["accepted"], told["position"]) == (True, message["seq"])

    async def answers() -> None:
        asked = await agent.call("POST", "/v1/pull", **lane, after=message["seq"], wait=10)
        [ask] = asked["asks"]
        challenge = json.loads(agent.opened(asked, ask)["body"])["challenge"]
        text = [["content-type", "text/plain"]]
        await agent.call("POST", "/v1/reply", id=ask["id"], status=200, headers=text, body=b64(challenge.encode()))

    question = {"type": "url_verification", "challenge": "abc123"}
    asked, _ = await asyncio.gather(site.http.post(url, json=question), answers())
    assert (asked.status_code, asked.text) == (200, "abc123")


async def test_a_second_agent_made_from_the_page_gets_the_key_by_recovery(site: Site) -> None:
    """It waits, proves that it has the key, and opens what the first one left."""
    first, second = DocumentAgent(site.http, site.url), DocumentAgent(site.http, site.url)
    await first.pair(await site.organisation("acme"))
    lease = await first.call("POST", "/v1/pull", wait=0)
    url = await first.declare("orders")
    assert (await site.http.post(url, content=b"left")).status_code == 200
    await first.call("POST", "/v1/release", epoch=lease["epoch"])
    await second.pair((await site.role.control.code("acme", replaces="", actor=MACHINE)).text)
    assert (await second.call("POST", "/v1/pull", wait=0))["messages"] == []
    await second.recover(first.recovery)
    batch = await second.call("POST", "/v1/pull", wait=5)
    assert [second.opened(batch, message)["body"] for message in batch["messages"]] == [b"left"]
