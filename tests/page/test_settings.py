"""The settings' screens and the touchpoints' forms, over a whole agent."""

import io
import re
import zipfile
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from appliance.agent import Agent
from store.settings_definition import ALL_SETTINGS
from tests.appliance.agents import apply
from tests.page.doorstep import OWN_FORM, OWN_LINK, PASSWORD, browser, doorstep, sign_in

pytestmark = pytest.mark.anyio

HUSH = ("hush-sender-1", "hush-bearer-2", "hush-user-3", "hush-header-4", "hush-environment-5")
WHOLE = f"""
[[touchpoint]]
name = "orders"
provider = "generic"
secrets = ["{HUSH[0]}"]
[touchpoint.verify]
scheme = "hmac"
header = "X-Sum"
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "http://{HUSH[2]}@127.0.0.1:1/"
headers = {{ X-Api-Key = "{HUSH[3]}" }}
auth = {{ type = "bearer", token = "{HUSH[1]}" }}
[[touchpoint.destination]]
name = "files"
kind = "folder"
path = "{{folder}}"
"""
SCREENS = (
    "/touchpoints",
    "/touchpoints/orders",
    "/touchpoints/orders/to/erp",
    "/touchpoints/orders/to/files",
    "/touchpoints/orders/add/http",
    "/settings",
    "/settings/proxy",
    "/settings/storage",
    "/settings/access",
    "/settings/backup",
    "/settings/alerts",
    "/settings/people",
    "/settings/audit",
    "/settings/about",
)


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    (tmp_path / "out").mkdir()
    async with doorstep(tmp_path / "data") as made:
        applied = await apply(made, WHOLE.replace("{folder}", (tmp_path / "out").as_posix()))
        assert not applied.problems
        yield made


@pytest.fixture
async def ann(agent: Agent) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(agent) as client:
        await sign_in(client)
        yield client


async def see(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path, headers=OWN_LINK)
    assert answer.status_code == 200, (path, answer.text)
    return answer.text


async def send(client: httpx.AsyncClient, path: str, **data: str) -> httpx.Response:
    fields = {name.replace("__", "."): value for name, value in data.items()}
    return await client.post(path, data=fields, headers=OWN_FORM)


async def test_every_setting_is_on_the_page(ann: httpx.AsyncClient) -> None:
    """Each is a field, or named as one that only the file may set."""
    html = "".join([await see(ann, path) for path in SCREENS])
    named = {*re.findall(r'(?:name|data-setting)="([a-z_.]+)"', html)}
    for path, *_ in ALL_SETTINGS:
        wanted = re.sub(r"touchpoint\.destination \(\w+\)", "destination", path)
        assert wanted in named, path


async def test_no_secret_is_in_any_page(ann: httpx.AsyncClient) -> None:
    """Not in a form, not after a mistake, not in the bundle for support."""
    for path in SCREENS:
        html = await see(ann, path)
        assert not [secret for secret in HUSH if secret in html], path
    wrong = await send(ann, "/touchpoints/orders/to/erp", destination__timeout="never", destination__auth__token="hush-new-9")
    assert wrong.status_code == 422
    assert "hush-" not in wrong.text
    packed = await ann.get("/settings/about/bundle.zip", headers=OWN_LINK)
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert {"configuration.toml", "status.json", "log.txt"} <= {*archive.namelist()}
        assert not any(b"hush-" in archive.read(name) for name in archive.namelist())


async def test_saving_an_untouched_form_changes_nothing(ann: httpx.AsyncClient, agent: Agent) -> None:
    """Only what differs is applied, so secrets in URLs and headers stay where they are."""
    before = await agent.control.show()
    html = await see(ann, "/touchpoints/orders/to/erp")
    fields = dict(re.findall(r'<input id="[^"]*" name="([^"]+)" type="text" value="([^"]*)"', html))
    fields |= dict(re.findall(r'<textarea id="[^"]*" name="([^"]+)"[^>]*>\n([^<]*)</textarea>', html))
    assert "destination.url" in fields
    answer = await ann.post("/touchpoints/orders/to/erp", data={k: unescape(v) for k, v in fields.items()}, headers=OWN_FORM)
    assert answer.status_code == 303
    assert await agent.control.show() == before


async def test_a_wrong_value_stands_beside_its_field(ann: httpx.AsyncClient, agent: Agent) -> None:
    """And nothing was changed."""
    answer = await send(ann, "/settings/section/retention", retention__bodies_days="many", retention__log_days="90")
    assert answer.status_code == 422
    assert 'id="retention.bodies_days-error"' in answer.text
    assert 'value="many"' in answer.text
    assert agent.configuration.retention.log_days == 400


async def test_settings_are_saved(ann: httpx.AsyncClient, agent: Agent) -> None:
    """Numbers, sizes and lists arrive as what they are."""
    assert (await send(ann, "/settings/section/retention", retention__log_days="90", retention__size="2GiB")).status_code == 303
    assert (await send(ann, "/settings/section/page", page__hosts="a.example\r\nb.example")).status_code == 303
    assert agent.configuration.retention.log_days == 90
    assert agent.configuration.retention.size == 2 * 1024**3
    assert agent.configuration.page.hosts == ("a.example", "b.example")


async def test_what_only_the_file_may_set_is_not_taken_from_a_form(ann: httpx.AsyncClient, agent: Agent) -> None:
    """A hand-made form changes no certificate and no CA; a secret's source is refused."""
    await send(ann, "/settings/section/page", page__tls_key="/etc/passwd", page__tls_certificate="/etc/passwd")
    await send(ann, "/touchpoints/orders/to/erp", destination__ca="/etc/passwd")
    refused = await send(ann, "/touchpoints/orders/secrets", secret="file:/etc/passwd")
    assert refused.status_code == 422
    assert "/etc/passwd" not in await agent.control.show()


async def test_secrets_rotate(ann: httpx.AsyncClient, agent: Agent) -> None:
    """A new one stands beside the old one, until that is taken away."""
    assert (await send(ann, "/touchpoints/orders/secrets", secret="hush-second")).status_code == 303
    assert list(agent.configuration.touchpoints[0].secrets) == ["hush-second", HUSH[0]]
    html = await see(ann, "/touchpoints/orders?box=sender")
    old = re.findall(r'name="remove" value="([0-9a-f]{16})"', html)[1]
    assert (await send(ann, "/touchpoints/orders/secrets", remove=old)).status_code == 303
    assert list(agent.configuration.touchpoints[0].secrets) == ["hush-second"]


async def test_a_folder_is_named_by_the_password_alone(ann: httpx.AsyncClient, agent: Agent, tmp_path: Path) -> None:
    """Without it the form comes back, and the words stand at its field."""
    (tmp_path / "more").mkdir()
    form = {"destination__path": str(tmp_path / "more"), "destination__concurrency": "4"}
    answer = await send(ann, "/touchpoints/orders/to/files", **form, password="wrong")
    assert answer.status_code == 422
    assert 'id="password-error"' in answer.text
    assert (await send(ann, "/touchpoints/orders/to/files", **form, password=PASSWORD)).status_code == 303
    assert str(tmp_path / "more") in await agent.control.show()


async def test_a_generic_sender_is_changed_and_removed_destinations_go(ann: httpx.AsyncClient, agent: Agent) -> None:
    """A header gives way to a selector; a destination goes and the others keep their secrets."""
    form = {"touchpoint__verify__scheme": "token", "touchpoint__verify__header": "X-Pass"}
    kept = await send(ann, "/touchpoints/orders/box/verification", **form)
    assert kept.status_code == 422  # a kept secret is not carried to where it would arrive in clear
    form["again"] = HUSH[0]
    assert (await send(ann, "/touchpoints/orders/box/verification", **form)).status_code == 303
    assert agent.configuration.touchpoints[0].verification.credential == "header:X-Pass"
    assert (await send(ann, "/touchpoints/orders/to/files/remove")).status_code == 303
    (left,) = agent.configuration.touchpoints[0].destinations
    assert left.name == "erp"
    assert HUSH[2] in left.url  # type: ignore[union-attr] # the http one


async def test_hostile_names_and_urls_stay_text(ann: httpx.AsyncClient) -> None:
    """What a person or a stranger wrote is never markup."""
    bad = "<script>alert(1)</script>"
    answers = [
        await send(ann, "/touchpoints/orders/rename", name=bad),
        await send(ann, "/touchpoints/orders/to/erp", destination__url=f'http://x/"{bad}'),
        await send(ann, "/settings/people/add", name=bad, password="x", own="y"),
        await send(ann, "/touchpoints/orders/box/events", touchpoint__reference=bad),
    ]
    assert [answer.status_code for answer in answers[:1] + answers[2:]] == [422, 422, 422]
    pages = [await see(ann, path) for path in SCREENS]
    assert not [text for text in [*pages, *(answer.text for answer in answers)] if "<script>alert" in text]


async def test_people_and_tokens(ann: httpx.AsyncClient, agent: Agent) -> None:
    """Persons and tokens are added by one's own password, the last person stays, a token's value is shown once."""
    assert (await send(ann, "/settings/people/remove", name="ann", own=PASSWORD)).status_code == 422
    assert (await send(ann, "/settings/people/add", name="bob", password="correct staple bat", own="no")).status_code == 422
    assert (await send(ann, "/settings/people/add", name="bob", password="correct staple bat", own=PASSWORD)).status_code == 303
    assert (await send(ann, "/settings/people/remove", name="bob", own=PASSWORD)).status_code == 303
    assert await agent._opened.people.persons() == ["ann"]
    for own in ({}, {"own": "no"}):
        assert (await send(ann, "/settings/tokens/add", name="shop", scope="read", **own)).status_code == 422
    assert await agent._opened.people.tokens() == []
    made = await send(ann, "/settings/tokens/add", name="shop", scope="read", own=PASSWORD)
    value = re.search(r'data-copy="([^"]{20,})"', made.text)
    assert value
    assert value[1] not in await see(ann, "/settings/people")


async def test_a_test_shows_what_would_be_sent_and_a_stored_event_can_be_tried(ann: httpx.AsyncClient) -> None:
    """Both name each destination; the proofs are hidden."""
    played = await send(ann, "/touchpoints/orders/test")
    assert "Received and checked" in played.text
    event = re.search(r'<option value="(\w{26})"', played.text)
    assert event
    tried = await see(ann, f"/touchpoints/orders/try?event={event[1]}")
    assert "It is verified" in tried
    assert (await ann.get("/touchpoints/orders/try?event=nothing", headers=OWN_LINK)).status_code == 422
