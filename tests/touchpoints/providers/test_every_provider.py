"""No provider is forgotten: each is proved by requests of its own, with every variant that its way of proving has."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.touchpoints.providers.harness import Case
from touchpoints.provider import providers

CASES: list[Case] = [
    case
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    if path.stem != Path(__file__).stem
    for case in getattr(import_module(f"{__package__}.{path.stem}"), "CASES", ())
    if isinstance(case, Case)
]
NAMES = [name for name in providers() if name != "generic"]


def _of(name: str) -> list[Case]:
    return [case for case in CASES if case.provider == name]


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_has_a_request_of_its_own(name: str) -> None:
    """Which a wrong secret refuses, unless the secret only fetches the key."""
    assert _of(name)
    assert all(case.secret != case.wrong for case in _of(name))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_signed_is_tampered_with(name: str) -> None:
    """Wherever the proof covers anything of the body."""
    assert providers()[name].covers == "nothing" or any(case.tampered is not None for case in _of(name))


@pytest.mark.parametrize("name", [name for name in NAMES if providers()[name].verification().timestamp])
def test_what_is_stamped_is_sent_too_late_and_too_early(name: str) -> None:
    """Where the time of sending is signed it is compared."""
    assert any(case.stamped is not None for case in _of(name))
