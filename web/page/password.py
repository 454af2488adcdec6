"""Passwords and names: whether a new one will do, and whether a password is right, by as many tries as the limiter lets."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from store.configuration import Actor
from store.password import hash_password, verify_password
from touchpoints.moment import SECOND
from touchpoints.problem import Problem, ProblemError, problem
from web.api.front_desk import CallerRequest, FrontDesk
from web.page.figures import span
from web.page.limiter import subjects

LEAST = 10
_NAME = re.compile(r"[^\W_](?:[\w .@-]{0,62}[\w.@-])?")
_LONGEST = 1024
_COMMON = frozenset({"password", "passwort", "hookport", "qwertyuiop", "qwertzuiop", "letmein", "welcome", "administrator"})
# argon2 takes 64 MiB each time: two at once, whoever knocks.
_HASHERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


def name_problems(name: str) -> list[Problem]:
    """Why a person may not be called so."""
    return [] if _NAME.fullmatch(name) else [problem("person_name_invalid", path="name")]


def password_problem(password: str, name: str) -> Problem | None:
    """Why a new password will not do, or None. Length is what counts; the rest are those that are tried first."""
    if len(password) < LEAST:
        return problem("password_short", least=LEAST)
    if len(password) > _LONGEST:
        return problem("password_long")
    if len(set(password)) < 4:
        return problem("password_plain")
    core = "".join(letter for letter in password.casefold() if letter.isalpha())
    if name and name.casefold() in password.casefold() and len(password) - len(name) < LEAST // 2:
        return problem("password_is_name")
    if core in _COMMON or password.startswith("1234567890"):
        return problem("password_common")
    return None


async def hashed(password: str) -> str:
    """The hash to keep, made in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_HASHERS, hash_password, password)


async def prove(desk: FrontDesk, person: str, password: str, address: str) -> None:
    """Let pass the right password from that address. Raises ProblemError: sign_in_wait, sign_in_wrong.

    Whether the person exists shows neither in the words nor in the time it takes.
    """
    who = subjects(person, address)
    if wait := await desk.door.try_by(*who, now=desk.now()):
        raise ProblemError(problem("sign_in_wait", wait=span(max(wait, SECOND))))
    kept = await desk.people.password_hash(person)
    if not await asyncio.get_running_loop().run_in_executor(_HASHERS, _fits, kept, password):
        raise ProblemError(problem("sign_in_wrong"))
    await desk.door.forgive(*who)


async def confirmed(desk: FrontDesk, request: CallerRequest, password: str) -> Actor:
    """Who is signed in, as one who has typed the password again and so may name folders. Raises ProblemError.

    Codes: password_not_yours, sign_in_wait.
    """
    try:
        await prove(desk, request.user.name, password, address_of(request))
    except ProblemError as error:
        if error.problems[0].code == "sign_in_wrong":
            raise ProblemError(problem("password_not_yours", path="password")) from None
        raise
    return Actor(name=request.user.name, folders=True)


def address_of(request: CallerRequest) -> str:
    """The peer's address; no header is believed."""
    return request.client.host if request.client else ""


def _fits(kept: str | None, password: str) -> bool:
    fits = verify_password(kept or _nobodys(), password)
    return fits and kept is not None


@cache
def _nobodys() -> str:
    """A hash of the same cost as anybody's, for persons there are not."""
    return hash_password("nobody has this password")
