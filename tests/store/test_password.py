"""Passwords."""

import pytest

from store.password import hash_password, verify_password


def test_a_password_fits_its_own_hash() -> None:
    """Argon2id, salted: two hashes of one password differ, and both fit."""
    first, second = hash_password("pässword"), hash_password("pässword")
    assert first.startswith("$argon2id$")
    assert first != second
    assert verify_password(first, "pässword")
    assert verify_password(second, "pässword")
    assert not verify_password(first, "password")


def test_nonsense_does_not_fit() -> None:
    """What is no hash fits nothing, and a huge password is not even tried."""
    assert not verify_password("", "x")
    assert not verify_password("$argon2id$nonsense", "x")
    assert not verify_password(hash_password("x"), "x" * 2000)
    with pytest.raises(ValueError, match="too long"):
        hash_password("x" * 2000)
