"""What the other side sent cannot be what the protocol says. Both sides are hostile to each other until proved otherwise."""

from touchpoints.problem import Problem, problem


class PullMalformed(ValueError):
    """A body, frame, header or seal's content that is not of the protocol's form. `reason` never quotes what was sent."""

    code = "pull_malformed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def problem(self) -> Problem:
        """What a person is told."""
        return problem("pull_malformed", reason=self.reason)
