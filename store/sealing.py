"""Sealing a document: every secret in it becomes `stored:FINGERPRINT`, and what it stands for is kept beside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from store.configuration import Actor
from store.secret_place import Secret
from store.secret_source import absolute_source, is_source, read_source
from store.vault import Vault
from touchpoints.definition_setting import Mistake
from touchpoints.problem import Problem, ProblemError, problem

_STORED = re.compile(r"stored:([0-9a-f]{16})")
UNREADABLE = "stored:"  # stands where a secret could not be had, so that a reading does not take something else for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A secret in clear, and its source, empty when it was given itself."""

    source: str
    value: str = field(repr=False)


def group(path: str) -> str:
    """A path without its place in a list: secrets may change places in their own list."""
    return path.partition("[")[0]


@dataclass(slots=True, kw_only=True)
class Sealing:
    """One document's sealing; `kept` holds what is stored by fingerprint, and grows."""

    vault: Vault
    kept: dict[str, Kept]
    environment: Mapping[str, str]
    base: Path
    actor: Actor
    standing: set[tuple[str, str, str]]  # (path without list places, text, reader) of the secrets in the stored document
    problems: list[Problem] = field(default_factory=list)

    def exchange(self, secret: Secret) -> str:
        """What stands for a secret from now on; a problem is noted when it cannot be had."""
        try:
            return f"stored:{self._fingerprint(secret)}"
        except ProblemError as error:
            self.problems += error.problems
            return UNREADABLE

    def _fingerprint(self, secret: Secret) -> str:
        if secret.text.startswith("stored:"):
            return self._standing_fingerprint(secret)
        source, value = "", secret.text
        if secret.whole and is_source(secret.text):
            if not self.actor.machine:
                raise ProblemError(problem("needs_machine", path=secret.path))
            source = absolute_source(secret.text, self.base)
            value = read_source(source, self.environment, path=secret.path)
        # A secret with a source keeps its fingerprint when its value changes, so that reading it anew changes no document.
        fingerprint = fingerprint_of(self.vault, source, value)
        self.kept[fingerprint] = Kept(source=source, value=value)
        return fingerprint

    def _standing_fingerprint(self, secret: Secret) -> str:
        found = _STORED.fullmatch(secret.text)
        if not found or found[1] not in self.kept:
            raise ProblemError(problem("secret_unknown", path=secret.path))
        # Without the machine's right neither a fingerprint nor another URL must carry a secret to where its holder can read it.
        if not self.actor.machine and (group(secret.path), secret.text, secret.reader) not in self.standing:
            raise ProblemError(problem("secret_moved", path=secret.path))
        return found[1]


def fingerprint_of(vault: Vault, source: str, value: str) -> str:
    """What a secret is kept under: by its source where it has one, else by itself."""
    return vault.fingerprint(f"source\0{source}" if source else f"value\0{value}")


def clear_secret(text: str, kept: Mapping[str, Kept]) -> str:
    """The secret behind `stored:FINGERPRINT`. Raises Mistake(secret_unknown)."""
    found = _STORED.fullmatch(text)
    if not found or found[1] not in kept:
        raise Mistake("secret_unknown")
    return kept[found[1]].value
