"""The sealed secrets' rows."""

import sqlite3
from collections.abc import Mapping

from store.configuration import Change, Document
from store.sealing import Kept
from store.secret_place import secret_texts
from store.secret_source import read_source
from store.vault import Vault
from touchpoints.problem import Problem, ProblemError, problem

SELECT_SECRETS = "SELECT fingerprint, source, sealed FROM secrets"


def read_secrets(db: sqlite3.Connection, vault: Vault) -> dict[str, Kept]:
    """Every stored secret by its fingerprint. Raises ProblemError(secret_unreadable)."""
    rows = db.execute(SELECT_SECRETS).fetchall()
    return {
        fingerprint: Kept(source=source, value=vault.open(sealed, context=context_of(fingerprint, source)))
        for fingerprint, source, sealed in rows
    }


DELETE_SEALED = "DELETE FROM secrets WHERE fingerprint = ?"
UPSERT_SEALED = (
    "INSERT INTO secrets (fingerprint, source, sealed) VALUES (?, ?, ?) "
    "ON CONFLICT (fingerprint) DO UPDATE SET source = excluded.source, sealed = excluded.sealed"
)


def write_secrets(db: sqlite3.Connection, vault: Vault, before: Mapping[str, Kept], after: Mapping[str, Kept]) -> None:
    """Make the rows hold `after`, which held `before`."""
    db.executemany(DELETE_SEALED, [(fingerprint,) for fingerprint in before if fingerprint not in after])
    rows = [
        (fingerprint, kept.source, vault.seal(kept.value, context=context_of(fingerprint, kept.source)))
        for fingerprint, kept in after.items()
        if before.get(fingerprint) != kept
    ]
    db.executemany(UPSERT_SEALED, rows)


def context_of(fingerprint: str, source: str) -> str:
    """What a sealed value is bound to: a row's value opens in no other row, and its source cannot be exchanged."""
    return f"{fingerprint}\0{source}"


def read_anew(
    kept: Mapping[str, Kept], environment: Mapping[str, str], document: Document
) -> tuple[dict[str, Kept], list[Problem]]:
    """The secrets, each with a source read there again; one that cannot be read keeps its last value, with a warning.

    The stored `document` is where the warnings' paths come from.
    """
    paths = {secret.text: secret.path for secret in secret_texts(document)}
    fresh, warnings = dict(kept), []
    for fingerprint, old in kept.items():
        if old.source:
            try:
                fresh[fingerprint] = Kept(source=old.source, value=read_source(old.source, environment))
            except ProblemError as error:
                warnings.append(problem("secret_stale", path=paths.get(f"stored:{fingerprint}", ""), why=str(error)))
    return fresh, warnings


def renewed(document: Document, before: Mapping[str, Kept], after: Mapping[str, Kept]) -> tuple[Change, ...]:
    """The places whose secret has another value at the same source."""
    new = {f"stored:{fingerprint}" for fingerprint, kept in before.items() if after.get(fingerprint, kept) != kept}
    return tuple(Change(path=secret.path, what="changed") for secret in secret_texts(document) if secret.text in new)
