"""The gatekeeper: which agent a request of the pull API comes from. Nothing of it is a secret that travels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from store.organisations import PairedAgent
from touchpoints.problem import Problem, problem
from touchpoints.pull.key import Chance, new_signing_key, signing_public
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.proof import Counts, RequestProof, check_request, new_challenge, read_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """An agent that proved itself."""

    agent: PairedAgent
    proof: RequestProof
    challenge: str  # to go with the answer
    renewed: bool  # it signed with the key that is to replace its present one


class Turned(Exception):
    """A request that is turned away, and why.

    `proof` and `challenge` are there when the signature was right: then the answer is signed, and the agent may sign again.
    """

    def __init__(self, status: int, why: Problem, *, proof: RequestProof | None = None, challenge: str = "") -> None:
        super().__init__(why.code)
        self.status = status
        self.why = why
        self.proof = proof
        self.challenge = challenge


@dataclass(slots=True)
class _Standing:
    challenge: str
    counts: Counts = field(default_factory=Counts)


class Gatekeeper:
    """Keeps one challenge for each agent, in memory: a restart gives everybody a new one, and costs one more round trip."""

    def __init__(self, *, agent: Callable[[str], PairedAgent | None], chance: Chance) -> None:
        self._agent = agent
        self._chance = chance
        self._standing: dict[str, _Standing] = {}
        self._nobodys = signing_public(new_signing_key(chance))

    def admit(self, headers: Mapping[str, str], *, method: str, path: str, body: bytes) -> Admitted:
        """Who signed this request.

        Raises Turned: 401 for an unknown agent, a wrong signature, an old challenge or a used count; 403 for a revoked agent.
        """
        try:
            proof = read_proof(headers)
        except PullMalformed as malformed:
            raise Turned(400, malformed.problem) from None
        if proof is None:
            raise Turned(401, problem("agent_unsigned"))
        agent = self._agent(proof.agent)
        signer = self._signer(agent, proof, method=method, path=path, body=body)
        if agent is None or signer is None:
            raise Turned(401, problem("agent_refused"))
        if agent.state == "revoked":
            self._standing.pop(agent.id, None)
            raise Turned(403, problem("agent_revoked", agent=agent.name), proof=proof)
        standing = self._standing.get(agent.id)
        if standing is None:
            standing = self._standing[agent.id] = _Standing(new_challenge(self._chance))
        if proof.challenge != standing.challenge or not standing.counts.use(proof.count):
            raise Turned(401, problem("challenge_unknown"), proof=proof, challenge=standing.challenge)
        return Admitted(agent=agent, proof=proof, challenge=standing.challenge, renewed=signer == agent.next_signing_key)

    def forget(self, agent_id: str) -> None:
        """The agent is gone."""
        self._standing.pop(agent_id, None)

    def _signer(self, agent: PairedAgent | None, proof: RequestProof, *, method: str, path: str, body: bytes) -> bytes | None:
        """The key that signed. An unknown agent costs a check too: how long a refusal takes does not tell who is paired."""
        keys = (agent.signing_key, agent.next_signing_key) if agent else (self._nobodys,)
        good = (key for key in keys if key and check_request(key, proof, method=method, path=path, body=body))
        return next(good, None)
