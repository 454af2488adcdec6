"""How a case of the verification ends when it does not pass."""


class FailedError(Exception):
    """What the case looked for is not so, in words."""


class LeftOutError(Exception):
    """The case cannot be held here, in words."""


def must(true: object, words: str) -> None:
    """Raises FailedError with the words unless it is true."""
    if not true:
        raise FailedError(words)
