"""Passwords by argon2id. Hashing takes a good part of a second on purpose: call it in a thread."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_LONGEST = 1024
_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash to keep, with its salt and cost. Raises ValueError beyond 1,024 characters."""
    if len(password) > _LONGEST:
        raise ValueError("the password is too long")
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def verify_password(password_hash: str, password: str) -> bool:
    """Whether a password is the one of a hash; False also for what is no hash."""
    if len(password) > _LONGEST:
        return False
    try:
        return _hasher.verify(password_hash, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
