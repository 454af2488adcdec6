"""`hookport admin reset`, for when the password is lost."""

import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trustme

from appliance.browser import has_desktop
from appliance.setup import check_reach, link_at_start
from store.settings import PageSettings
from tests.page.doorstep import HERE, OWN_FORM, TYPED, audited, browser, doorstep, sign_in
from tests.whole.hookport import Hookport
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio

OTHER = "correct horse battery"


async def test_the_link_of_a_running_agent_sets_another_password(tmp_path: Path) -> None:
    """By the machine's token; the old password and its sessions are worth nothing then, and waits are over."""
    async with doorstep(tmp_path / "data") as agent, browser(agent) as client, browser(agent) as signed_in:
        await sign_in(signed_in)
        tries = [(await sign_in(client, password="wrong")).status_code for _ in range(6)]
        assert tries[-1] == 429
        token = {"authorization": f"Bearer {agent.machine_token}"}
        link = (await client.post("/api/v1/admin/reset", headers=token)).json()["link"]
        assert link.startswith(f"{HERE}/setup/")
        assert 'value="ann"' in (await client.get(link, headers=TYPED)).text
        form = {"name": "ann", "password": OTHER, "repeated": OTHER}
        done = await client.post(link, data=form, headers=OWN_FORM)
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert (await client.get(link, headers=TYPED)).status_code == 404
        assert (await signed_in.get("/begin/password", headers=TYPED)).status_code == 303
        assert (await sign_in(client)).status_code == 403
        assert (await sign_in(client, password=OTHER)).status_code == 303
        assert [line for line in await audited(agent) if "reset" in line[1]] == [
            ("machine", "admin.reset"),
            ("ann", "person.password_reset"),
        ]


async def test_a_stopped_agent_prints_it_at_its_next_start_once(tmp_path: Path) -> None:
    """The wish is kept in the folder, answered by one start, and forgotten."""
    async with doorstep(tmp_path / "data") as agent, browser(agent) as client:
        agent.loopback = None
        token = {"authorization": f"Bearer {agent.machine_token}"}
        assert (await client.post("/api/v1/admin/reset", headers=token)).json() == {"link": None}
    async with doorstep(tmp_path / "data") as agent:
        assert await link_at_start(agent._opened, agent.link) is not None
        assert await link_at_start(agent._opened, agent.link) is None


async def test_no_token_may_reset(tmp_path: Path) -> None:
    """An API token with scope admin opens no way to a person's password."""
    async with doorstep(tmp_path / "data") as agent, browser(agent) as client:
        machine = {"authorization": f"Bearer {agent.machine_token}"}
        made = await client.post("/api/v1/tokens", json={"name": "ci", "scope": "admin"}, headers=machine)
        token = {"authorization": f"Bearer {made.json()['token']}"}
        refused = await client.post("/api/v1/admin/reset", headers=token)
        assert (refused.status_code, refused.json()["problems"][0]["code"]) == (403, "reset_not_allowed")


async def test_beyond_loopback_all_that_lacks_is_named(tmp_path: Path) -> None:
    """A password, a certificate and names; loopback needs none of them."""
    async with doorstep(tmp_path / "data", person=None) as agent:
        for host in ("127.0.0.1", "::1", "localhost"):
            assert not await check_reach(agent._opened, host, PageSettings())
        with pytest.raises(ProblemError) as caught:
            await check_reach(agent._opened, "0.0.0.0", PageSettings())
        words = str(caught.value)
        assert all(part in words for part in ("password", "certificate", "names", "ssh -L"))
    async with doorstep(tmp_path / "data") as agent:
        ready = PageSettings(hosts=("page.example",), tls_certificate="a.pem", tls_key="b.pem")
        assert await check_reach(agent._opened, "192.0.2.7", ready)


@pytest.mark.parametrize(
    ("environment", "platform", "found"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "a"}, "linux", False),
        ({}, "darwin", True),
        ({"SSH_TTY": "/dev/ttys1"}, "darwin", False),
        ({"SESSIONNAME": "Console"}, "win32", True),
        ({}, "win32", False),
    ],
)
def test_a_browser_is_opened_where_somebody_sees_it(environment: dict[str, str], platform: str, *, found: bool) -> None:
    """Never by a service, and never at the far end of an SSH session."""
    assert has_desktop(environment, platform=platform) is found


def test_beyond_loopback_the_page_speaks_tls_and_commands_stay_here(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The page answers to its name by its certificate; commands and links have a loopback port of their own."""
    authority = trustme.CA()
    issued = authority.issue_cert("page.example")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    hookport = Hookport(tmp_path, port=free_port(), admin=free_port())
    try:
        hookport.configure(
            f"[page]\nhosts = ['page.example']\ntls_certificate = '{tmp_path / 'cert.pem'}'\n"
            f"tls_key = '{tmp_path / 'key.pem'}'\n"
        )
        refused = hookport.run("run", "--config", str(hookport.config), "--admin", f"0.0.0.0:{hookport.admin}", "--no-browser")
        assert refused.returncode == 1
        assert "nobody has a password yet" in refused.stderr
        hookport.start()
        link = hookport.run("admin", "reset").stdout.strip()
        form = {"name": "ann", "password": OTHER, "repeated": OTHER}
        origin = f"http://127.0.0.1:{hookport.admin}"
        assert httpx.post(link, data=form, headers={**OWN_FORM, "origin": origin}).status_code == 303
        assert hookport.stop() == 0
        hookport.start("--admin", f"0.0.0.0:{hookport.admin}")
        assert hookport.json("status")["page"] == f"https://page.example:{hookport.admin}"
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        with httpx.Client(verify=trust) as client:
            asked = client.get(
                f"https://127.0.0.1:{hookport.admin}/sign-in",
                headers={**TYPED, "host": f"page.example:{hookport.admin}"},
                extensions={"sni_hostname": "page.example"},
            )
        assert asked.status_code == 200
        assert hookport.run("admin", "reset").stdout.startswith("http://127.0.0.1:")
    finally:
        hookport.close()


def test_the_process_and_the_command_print_links_that_open(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The start prints one, the command another; the older one is dead."""
    hookport = Hookport(tmp_path, port=free_port(), admin=free_port())
    try:
        hookport.start(wait=False)
        assert hookport.process is not None
        assert hookport.process.stdout is not None
        printed = ""
        for line in hookport.process.stdout:
            if "/setup/" in line:
                printed = next(word for word in line.split() if "/setup/" in word)
            if "stop with" in line:
                break
        assert httpx.get(printed, headers=TYPED).status_code == 200
        link = hookport.run("admin", "reset").stdout.strip()
        assert httpx.get(link, headers=TYPED).status_code == 200
        assert httpx.get(printed, headers=TYPED).status_code == 404
        assert hookport.stop() == 0
        asked = hookport.run("admin", "reset")
        assert asked.returncode == 0
        assert "No Hookport runs" in asked.stderr
    finally:
        hookport.close()
