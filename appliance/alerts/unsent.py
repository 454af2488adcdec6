"""Why a message did not go out."""

from touchpoints.moment import Micros


class Unsent(Exception):
    """In words for a person, without secrets; `lasting` when trying again soon is useless, and `wait` what was asked for."""

    def __init__(self, error: str, *, lasting: bool = False, wait: Micros = 0) -> None:
        super().__init__(error)
        self.error = error
        self.lasting = lasting
        self.wait = wait
