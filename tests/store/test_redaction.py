"""Redaction of texts and URLs."""

from store.redaction import HIDDEN, Redaction, secrets_of, without_secrets
from store.settings import Configuration
from touchpoints.definition_secret import is_sensitive
from touchpoints.touchpoint import Auth, HttpDestination, Touchpoint


def test_every_secret_of_a_configuration_is_hidden() -> None:
    """Wherever a secret of the configuration stands in a text, it is replaced, also as a URL writes it."""
    destination = HttpDestination(
        id=1,
        name="erp",
        url="https://ann:url+pass%2Fword@h/?sig=param-secret",
        headers=(("X-Token", "header-secret"), ("X-Plain", "harmless-value")),
        query=(("q", "query secret"),),
        auth=Auth(kind="bearer", secret="auth-secret"),
        sign="whsec_secret",
    )
    touchpoint = Touchpoint(
        id=1, name="t", secrets=("first-secret",), verify_token="verify-secret", destinations=(destination,)
    )
    hide = Redaction.of(secrets_of(Configuration(touchpoints=(touchpoint,))))
    for secret in (
        "first-secret",
        "verify-secret",
        "auth-secret",
        "whsec_secret",
        "header-secret",
        "query secret",
        "query%20secret",
        "param-secret",
        "ann:url+pass%2Fword",
        "ann:url+pass/word",
    ):
        assert hide(f"failed at <{secret}>!") == f"failed at <{HIDDEN}>!"
    assert hide("harmless-value") == "harmless-value"
    assert "secret" not in repr(hide)


def test_a_secret_within_another_is_hidden_whole() -> None:
    """The longest is taken first; a very short one is left, since it would stand everywhere."""
    hide = Redaction.of(["abcdef", "abcdefghi", "ab", ""])
    assert hide("abcdefghi abcdef ab") == f"{HIDDEN} {HIDDEN} ab"
    assert Redaction.of([])("abc") == "abc"


def test_urls_are_shown_without_secrets() -> None:
    """User, password and telling parameters are hidden; the rest stays."""
    assert (
        without_secrets("https://u:p@h:1/a?token=x&b=c&API_KEY=y#f")
        == f"https://{HIDDEN}@h:1/a?token={HIDDEN}&b=c&API_KEY={HIDDEN}#f"
    )
    assert without_secrets("https://h/a@b?x=@") == "https://h/a@b?x=@"


def test_sensitive_names_are_known() -> None:
    """Names that usually carry a secret."""
    assert all(
        map(is_sensitive, ("Authorization", "X-API-Key", "cookie", "Set-Cookie", "X-Auth-Token", "client_secret", "Password"))
    )
    assert not any(map(is_sensitive, ("Content-Type", "X-Shop", "Accept")))
