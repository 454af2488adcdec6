"""The process: from a command line to a running agent, and to a clean end."""

import asyncio
import gc
import hashlib
import os
import sys
import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from appliance import VERSION
from appliance.agent import Agent
from appliance.browser import has_desktop, open_page, show_first
from appliance.clock import Clock
from appliance.data_folder import DataFolder, locate
from appliance.direct_path import join_address, split_address
from appliance.logs import Redactor, set_up_logs
from appliance.opening import AlreadyRunning, Opened, open_folder
from appliance.options import RunOptions
from appliance.running import Running, clear_running, write_running
from appliance.setup import check_reach, link_at_start
from appliance.signals import stop_on_signals
from store.configuration import Actor
from touchpoints.problem import Problem, ProblemError, problem
from web.guard_host import host_name
from web.listener.certificate import Certificate
from web.listener.server import Listener

if sys.platform != "win32":
    from appliance.handles_posix import allow_many_handles

log = structlog.get_logger()

# SIGTERM ends within ten seconds: this much for what is under way, the rest for the disk.
GRACE = 6.0
CONFIG_FILE_BYTES = 1024 * 1024


def run(options: RunOptions) -> int:
    """Run the agent until it is asked to stop; the exit code."""
    return asyncio.run(_run(options, os.environ))


async def _run(options: RunOptions, environment: Mapping[str, str]) -> int:
    if sys.platform != "win32":
        allow_many_handles()
    # Names are looked up in these threads: the standard handful would let a few slow ones hold up every destination.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=32, thread_name_prefix="worker"))
    clock, redactor = Clock(), Redactor()
    folder = locate(options.data_dir, environment)
    try:
        place = _admin_address(options.admin)
        opened = await open_folder(folder, clock)
    except AlreadyRunning as error:
        if not options.no_browser and has_desktop(environment):
            show_first(error.page)
        return _refuse(error.problems, code=3)
    except ProblemError as error:
        return _refuse(error.problems, code=1)
    set_up_logs(folder, redactor)
    try:
        agent = Agent(opened, environment=environment, clock=clock, redactor=redactor)
        if wrong := await _configure(agent, opened, options.config):
            return _refuse(wrong, code=2)
        browser = not options.no_browser and has_desktop(environment)
        return await _serve(agent, opened, place, browser=browser)
    except ProblemError as error:
        return _refuse(error.problems, code=1)
    finally:
        clear_running(folder)
        await opened.close()


def _admin_address(text: str) -> tuple[str, int]:
    """Where the page listens."""
    try:
        return split_address(text)
    except ValueError:
        raise ProblemError(problem("admin_address", value=text[:80])) from None


async def _configure(agent: Agent, opened: Opened, file: Path | None) -> tuple[Problem, ...]:
    """Load what is stored and apply `--config` where it is new. Problems are returned only for a new data folder."""
    await agent.load()
    if file is None:
        return ()
    try:
        wrong = await _apply_file(agent, opened, file)
    except ProblemError as error:
        wrong = error.problems
    if wrong and not agent.configuration.touchpoints and agent.configuration.agent.mode is None:
        return wrong  # nothing to run by yet
    agent.not_applied = wrong
    return ()


async def _apply_file(agent: Agent, opened: Opened, file: Path) -> tuple[Problem, ...]:
    try:
        content = await asyncio.to_thread(read_config_file, file)
        content_digest = hashlib.sha256(content).hexdigest()
        if content_digest == await opened.configuration.last_applied():
            return ()
        document = tomllib.loads(content.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return (problem("config_file_unreadable", file=file, why=why),)
    base = str(file.absolute().parent)  # noqa: ASYNC240 - no disk is asked, only the working folder's name
    actor = Actor(name="machine", machine=True)
    applied = await agent.control.apply(document, base=base, digest=content_digest, prune=False, dry_run=False, actor=actor)
    return applied.problems


def read_config_file(file: Path) -> bytes:
    """The file's bytes. Raises OSError, and ValueError for one that is too large to be a configuration."""
    with file.open("rb") as opened:
        content = opened.read(CONFIG_FILE_BYTES + 1)
    if len(content) > CONFIG_FILE_BYTES:
        raise ValueError("it is larger than 1 MiB")
    return content


async def _serve(agent: Agent, opened: Opened, place: tuple[str, int], *, browser: bool) -> int:
    stop = asyncio.Event()
    stop_on_signals(stop)
    listeners = await _open_page(agent, opened, place)
    try:
        await agent.start()
        write_running(opened.folder, Running(pid=os.getpid(), page=agent.loopback or ""), agent.machine_token)
        link = await link_at_start(opened, agent.link)
        _tell(agent, opened.folder, link)
        if browser:
            open_page(f"{agent.loopback}{link or ''}")
        _spare_the_collector()
        log.info("started", version=VERSION, data_dir=str(opened.folder.path), page=agent.page)
        await stop.wait()
        log.info("stopping")
        await agent.stop(grace=GRACE)
    finally:
        for listener in listeners:
            await listener.close(grace=1.0)
    log.info("stopped")
    return 0


async def _open_page(agent: Agent, opened: Opened, place: tuple[str, int]) -> list[Listener]:
    """Listen for the page. Beyond loopback by TLS, and then for commands and setup links on a loopback port as well."""
    settings = agent.configuration.page
    if not await check_reach(opened, place[0], settings):
        local = await Listener.open(agent.local, *place)
        agent.page = agent.loopback = f"http://{join_address(*local.address)}"
        return [local, *await _open_ipv6(agent, local.address)]
    certificate = await asyncio.to_thread(Certificate, Path(settings.tls_certificate), Path(settings.tls_key))
    wide = await Listener.open(agent.local, *place, certificate=certificate)
    try:
        local = await Listener.open(agent.local, "127.0.0.1", 0)
    except BaseException:
        await wide.close(grace=0)
        raise
    agent.page_certificate.current = certificate
    agent.page = f"https://{join_address(host_name(settings.hosts[0]), wide.address[1])}"
    agent.loopback = f"http://{join_address(*local.address)}"
    return [wide, local]


async def _open_ipv6(agent: Agent, address: tuple[str, int]) -> list[Listener]:
    """The same port of IPv6's loopback, which `localhost` means on many systems; none where the system has it not."""
    host, port = address
    if host != "127.0.0.1":
        return []
    try:
        return [await Listener.open(agent.local, "::1", port)]
    except ProblemError as error:
        log.info("the page is not at [::1]", why=str(error.problems[0]))
        return []


def _spare_the_collector() -> None:
    """What is imported and wired lives as long as the process; looking through it again and again delays answers."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _tell(agent: Agent, folder: DataFolder, link: str | None) -> None:
    mode = agent.configuration.agent.mode or "not chosen yet (on the page, or by mode in [agent] of a configuration file)"
    listening = agent.direct.address or agent.direct.error or "not listening"
    set_up = (f"  set up here  {agent.loopback}{link} (within 30 minutes)",) if link else ()
    lines = (
        f"Hookport {VERSION}",
        f"  data folder  {folder.path}",
        f"  listener     {listening}",
        f"  page         {agent.page}",
        f"  mode         {mode}",
        *set_up,
        "  stop with    Ctrl-C",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _refuse(problems: tuple[Problem, ...], *, code: int) -> int:
    for one in problems:
        sys.stderr.write(f"{one}\n")
    return code
