"""The vault and its key file."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.vault import KEY_BYTES, Vault, create_key, open_key
from touchpoints.problem import ProblemError

VAULT = Vault(bytes(range(32)))


def refused(sealed: bytes, vault: Vault = VAULT, context: str = "c") -> bool:
    with pytest.raises(ProblemError) as caught:
        vault.open(sealed, context=context)
    return caught.value.problems[0].code == "secret_unreadable"


@given(st.text(), st.text(st.characters(codec="utf-8")))
def test_what_is_sealed_opens_again(value: str, context: str) -> None:
    """Any text comes back, in its context only."""
    sealed = VAULT.seal(value, context=context)
    assert VAULT.open(sealed, context=context) == value
    assert refused(sealed, context=context + "x")


def test_a_changed_byte_does_not_open() -> None:
    """Nothing that was tampered with, cut off or sealed by another key opens."""
    sealed = VAULT.seal("hush", context="c")
    for index in range(len(sealed)):
        assert refused(sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :])
    assert all(refused(sealed[:length]) for length in range(len(sealed)))
    assert refused(sealed, Vault(bytes(32)))


def test_nonces_differ_where_anything_differs() -> None:
    """The same nonce is never used for two messages."""
    nonces = {VAULT.seal(value, context=context)[:12] for value in ("a", "b", "ab") for context in ("", "a", "b")}
    assert len(nonces) == 9


def test_fingerprints_tell_apart_under_one_key() -> None:
    """16 hex digits, the same for the same text, other ones under another key."""
    found = VAULT.fingerprint("hush")
    assert len(found) == 16
    assert int(found, 16) >= 0
    assert found == Vault(bytes(range(32))).fingerprint("hush")
    assert found not in {VAULT.fingerprint("hush "), Vault(bytes(32)).fingerprint("hush")}


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """A key file is made for its owner alone, opens the same vault, and is never overwritten."""
    path = tmp_path / "secret.key"
    made = create_key(path, lambda count: bytes([7]) * count)
    assert open_key(path).open(made.seal("hush", context="c"), context="c") == "hush"
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ProblemError) as caught:
        create_key(path, bytes)
    assert caught.value.problems[0].code == "key_file_unusable"
    assert open_key(path).fingerprint("x") == made.fingerprint("x")


@pytest.mark.parametrize("content", [b"", b"zz" * KEY_BYTES, b"00" * (KEY_BYTES - 1), b"00" * (KEY_BYTES + 1), b"\xff" * 64])
def test_what_is_no_key_is_told(tmp_path: Path, content: bytes) -> None:
    """A damaged key file is told, and left as it is."""
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    with pytest.raises(ProblemError) as caught:
        open_key(path)
    assert caught.value.problems[0].code == "key_file_malformed"
    assert path.read_bytes() == content


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    """What cannot be read is told with the reason."""
    with pytest.raises(ProblemError) as caught:
        open_key(tmp_path)
    assert caught.value.problems[0].code == "key_file_unusable"


def test_a_key_has_its_length() -> None:
    """A short key is a programmer's mistake."""
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short")
