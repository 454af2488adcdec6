"""Growth at full size: two million stored, a million waiting."""

from tests.bench.figures import Report
from tests.bench.growth import growth as measured


def growth() -> Report:
    """`bench growth`; a figure below its promise fails."""
    return measured(short=False)
