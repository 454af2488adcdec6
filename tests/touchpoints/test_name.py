"""Names that are safe everywhere."""

import pytest

from touchpoints.name import RESERVED_DOMAINS, is_valid_name, name_problem


@pytest.mark.parametrize("name", ["orders", "a", "0", "shop-1_b", "x" * 64, "console", "com10", "health", "v1"])
def test_plain_names_are_taken(name: str) -> None:
    """Letters, digits, - and _, beginning with a letter or digit."""
    assert is_valid_name(name)
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-a",
        "_a",
        "A",
        "ä",
        "a b",
        "a.b",
        ".",
        "..",
        "../a",
        "a/b",
        "a\\b",
        "a\0",
        "a\n",
        "a%2e",
        "x" * 65,
        "c:",
        "a:b",
        "~",
        "orders ",
        "con.txt",
    ],
)
def test_path_tricks_are_refused(name: str) -> None:
    """Nothing that means more than itself in a path, a URL or a terminal."""
    found = name_problem(name, path="touchpoint[0].name")

    assert found is not None
    assert found.code == "name_invalid"
    assert found.path == "touchpoint[0].name"
    assert found.text.isprintable()


@pytest.mark.parametrize("name", ["con", "prn", "aux", "nul", "com0", "com1", "com9", "lpt1", "lpt9"])
def test_windows_devices_are_refused(name: str) -> None:
    """A file of that name would be a device on Windows."""
    found = name_problem(name)

    assert not is_valid_name(name)
    assert found is not None
    assert found.code == "name_device"


@pytest.mark.parametrize("name", sorted(RESERVED_DOMAINS))
def test_our_own_names_are_no_domains(name: str) -> None:
    """A proxy domain cannot hide the proxy's own paths."""
    found = name_problem(name, domain=True)

    assert found is not None
    assert found.code == "name_reserved"
