"""Names that are safe everywhere."""

import pytest

from touchpoints.name import RESERVED_DOMAINS, confusable_form, is_valid_name, name_problem


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


@pytest.mark.parametrize("name", ["acme", "a-1", "abc", "x" * 63, "acme-gmbh", "3com", "4711-shop", "www2"])
def test_plain_domains_are_taken(name: str) -> None:
    """A label of a host's name with a letter in it."""
    assert name_problem(name, domain=True) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "domain_short"),
        ("ab", "domain_short"),
        ("x" * 64, "domain_invalid"),
        ("-acme", "domain_invalid"),
        ("acme-", "domain_invalid"),
        ("ac_me", "domain_invalid"),
        ("ac.me", "domain_invalid"),
        ("Acme", "domain_invalid"),
        ("acmé", "domain_invalid"),
        ("\u0430cme", "domain_invalid"),
        ("acme\n", "domain_invalid"),
        ("xn--acme-abc", "domain_invalid"),
        ("ac--me", "domain_invalid"),
        ("4711", "domain_invalid"),
        ("192-168-0-1", "domain_invalid"),
        ("adm1n", "domain_confusable"),
        ("adrnin", "domain_confusable"),
        ("hea1th", "domain_confusable"),
        ("vvww", "domain_confusable"),
        ("w-w-w", "domain_confusable"),
        ("l0gin", "domain_confusable"),
        ("con", "name_device"),
    ],
)
def test_domains_that_mislead_are_refused(name: str, code: str) -> None:
    """No look-alike of our own names, no punycode, no address, nothing that DNS does not take."""
    found = name_problem(name, domain=True, path="name")

    assert found is not None
    assert found.code == code
    assert found.path == "name"
    assert found.text.isprintable()


@pytest.mark.parametrize(
    ("one", "other"),
    [("acme", "acrne"), ("acme", "ac-me"), ("paypal", "paypa1"), ("google", "g00gle"), ("will", "vvill"), ("isis", "1515")],
)
def test_look_alikes_have_one_form(one: str, other: str) -> None:
    """What a hasty reader takes for each other."""
    assert confusable_form(one) == confusable_form(other)


def test_other_names_have_other_forms() -> None:
    """Not everything looks alike."""
    names = ["acme", "acne", "acmee", "shop", "stop", "north", "south", "shop-a", "shop-b", "shop3", "shop4"]

    assert len({confusable_form(name) for name in names}) == len(names)
