"""A change of configuration that may move the public listener: bound before it is saved, as it was where that fails."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from touchpoints.problem import Problem, ProblemError


class Outcome(Protocol):
    """What saving came to, for either role: see store.configuration.Applied."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """With any, nothing was changed."""

    @property
    def configuration(self) -> Any:
        """The new one; None with problems."""


C = TypeVar("C")
A = TypeVar("A", bound=Outcome)


async def bind_first(
    save: Callable[[bool], Awaitable[A]],
    *,
    dry_run: bool,
    before: C,
    rebind: Callable[[C], Awaitable[None]],
    refused: Callable[[tuple[Problem, ...]], A],
) -> A:
    """What `save` came to, which is told whether to save or only to try.

    `rebind` moves the listener to a configuration, or raises ProblemError and leaves it; `refused` makes an outcome of that.
    """
    tried = await save(True)
    if dry_run or tried.problems or tried.configuration is None:
        return tried
    try:
        await rebind(tried.configuration)
    except ProblemError as error:
        return refused(error.problems)
    try:
        applied = await save(False)
    except BaseException:
        await rebind(before)
        raise
    if applied.problems:
        await rebind(before)
    return applied
