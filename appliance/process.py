"""The process: from a command line to a running agent or proxy, and to a clean end."""

import asyncio
import gc
import hashlib
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import structlog

from appliance import VERSION
from appliance.address import join_address, split_address
from appliance.agent_role import AGENT
from appliance.browser import has_desktop, open_page, show_first
from appliance.ceilings import page_ceilings
from appliance.clock import Clock
from appliance.data_folder import locate
from appliance.logs import Redactor, set_up_logs
from appliance.opening import AlreadyRunning
from appliance.options import RunOptions
from appliance.role import Kind, Role
from appliance.running import Running, clear_running, write_running
from appliance.setup import check_reach, link_at_start
from appliance.signals import stop_on_signals
from store.configuration import Actor, Document
from store.document import LARGEST, merge_value, parse
from touchpoints.handles import no_handle_left
from touchpoints.problem import Problem, ProblemError, catalogue, problem
from web.guard_host import host_name, is_loopback
from web.listener.certificate import Certificate
from web.listener.crowd import Ceilings
from web.listener.server import Listener
from web.page import words

if sys.platform != "win32":
    from appliance.handles_posix import allow_many_handles
    from appliance.memory_posix import give_memory_back

log = structlog.get_logger()

# SIGTERM ends within ten seconds: this much for what is under way, the rest for the disk.
GRACE = 6.0
_MACHINE = Actor(name="machine", machine=True)


def run(options: RunOptions, kind: Kind = AGENT) -> int:
    """Run the agent, or the proxy, until it is asked to stop; the exit code."""
    try:
        return asyncio.run(_run(options, os.environ, kind))
    except OSError as error:
        if not no_handle_left(error):
            raise
        return _refuse((problem("no_handles_to_run"),), code=1)


async def _run(options: RunOptions, environment: Mapping[str, str], kind: Kind) -> int:
    if sys.platform != "win32":
        allow_many_handles()
        give_memory_back()
    # Names are looked up in these threads: the standard handful would let a few slow ones hold up every destination.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=32, thread_name_prefix="worker"))
    catalogue()  # the words of what can be wrong: when they are needed there may be no file handle left to read them by
    clock, redactor = Clock(), Redactor()
    folder = locate(options.data_dir, environment, role=kind.folder)
    try:
        place = _admin_address(options.admin)
        role = await kind.open(folder, clock, environment, redactor)
    except AlreadyRunning as error:
        if not options.no_browser and has_desktop(environment):
            show_first(error.page)
        return _refuse(error.problems, code=3)
    except ProblemError as error:
        return _refuse(error.problems, code=1)
    set_up_logs(folder, redactor)
    try:
        if wrong := await _configure(role, options):
            return _refuse(wrong, code=2)
        browser = not options.no_browser and has_desktop(environment)
        return await _serve(role, place, browser=browser)
    except ProblemError as error:
        return _refuse(error.problems, code=1)
    finally:
        clear_running(folder)
        await role.break_off()
        await role.opened.close()


def _admin_address(text: str) -> tuple[str, int]:
    """Where the page listens."""
    try:
        return split_address(text)
    except ValueError:
        raise ProblemError(problem("admin_address", value=text[:80])) from None


async def _configure(role: Role, options: RunOptions) -> tuple[Problem, ...]:
    """Load what is stored, and apply `--config` where it is new and what the other options set.

    Problems of the file are returned only for a new data folder; those of an option always: somebody has just typed it.
    """
    await role.load()
    try:
        document, base, digest = await _wanted(role, options)
        wrong = await role.apply(document, base=base, digest=digest, actor=_MACHINE) if document or digest else ()
    except ProblemError as error:
        wrong = error.problems
    if wrong and (role.blank or options.settings):
        return wrong
    role.not_applied = wrong
    return ()


async def _wanted(role: Role, options: RunOptions) -> tuple[Document, str, str]:
    """What is to be applied, the folder its file names are relative to, and the file's digest. Raises ProblemError."""
    if options.config is None:
        return dict(options.settings), "", ""
    file = options.config
    try:
        content = await asyncio.to_thread(read_config_file, file)
        content_digest = hashlib.sha256(content).hexdigest()
        digest = "" if content_digest == await role.last_applied() else content_digest
        document = parse(content) if digest else {}
    except ProblemError as error:
        raise ProblemError(*(replace(one, path=str(file)) for one in error.problems)) from None
    except OSError as error:
        raise ProblemError(problem("config_file_unreadable", file=file, why=error.strerror or str(error))) from error
    base = str(file.absolute().parent)
    return merge_value(document, dict(options.settings)), base, digest


def read_config_file(file: Path) -> bytes:
    """The file's bytes, one more than a configuration may have at most. Raises OSError."""
    with file.open("rb") as opened:
        return opened.read(LARGEST + 1)


async def _serve(role: Role, place: tuple[str, int], *, browser: bool) -> int:
    stop = asyncio.Event()
    stop_on_signals(stop)
    listeners = await _open_page(role, place)
    try:
        await role.start()
        folder = role.opened.folder
        write_running(folder, Running(pid=os.getpid(), page=role.loopback or ""), role.machine_token)
        link = await link_at_start(role.opened, role.link)
        _tell(role, link)
        if browser:
            open_page(f"{role.loopback}{link or ''}")
        _spare_the_collector()
        await asyncio.to_thread(words.catalogue)
        log.info("started", version=VERSION, data_dir=str(folder.path), page=role.page)
        await stop.wait()
        log.info("stopping")
        await role.stop(grace=GRACE)
    finally:
        for listener in listeners:
            await listener.close(grace=1.0)
    log.info("stopped")
    return 0


async def _open_page(role: Role, place: tuple[str, int]) -> list[Listener]:
    """Listen for the page. Beyond loopback by TLS, and then for commands and setup links on a loopback port as well."""
    settings = role.page_settings
    first, second = page_ceilings()
    if not await check_reach(role.opened, place[0], settings):
        local = await Listener.open(role.local, *place, ceilings=first, trusted=is_loopback)
        role.page = role.loopback = f"http://{join_address(*local.address)}"
        return [local, *await _open_ipv6(role, local.address, second)]
    certificate = await asyncio.to_thread(Certificate, Path(settings.tls_certificate), Path(settings.tls_key))
    wide = await Listener.open(role.local, *place, certificate=certificate, ceilings=first)
    try:
        local = await Listener.open(role.local, "127.0.0.1", 0, ceilings=second, trusted=is_loopback)
    except BaseException:
        await wide.close(grace=0)
        raise
    role.serve_page_with(certificate)
    role.page = f"https://{join_address(host_name(settings.hosts[0]), wide.address[1])}"
    role.loopback = f"http://{join_address(*local.address)}"
    return [wide, local]


async def _open_ipv6(role: Role, address: tuple[str, int], ceilings: Ceilings) -> list[Listener]:
    """The same port of IPv6's loopback, which `localhost` means on many systems; none where the system has it not."""
    host, port = address
    if host != "127.0.0.1":
        return []
    try:
        return [await Listener.open(role.local, "::1", port, ceilings=ceilings, trusted=is_loopback)]
    except ProblemError as error:
        log.info("the page is not at [::1]", why=str(error.problems[0]))
        return []


def _spare_the_collector() -> None:
    """What is imported and wired lives as long as the process; looking through it again and again delays answers."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _tell(role: Role, link: str | None) -> None:
    set_up = (f"  set up here  {role.loopback}{link} (within 30 minutes)",) if link else ()
    lines = (
        f"Hookport {VERSION}",
        f"  data folder  {role.opened.folder.path}",
        *(f"  {what:<12} {how}" for what, how in role.told()),
        *set_up,
        "  stop with    Ctrl-C",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _refuse(problems: tuple[Problem, ...], *, code: int) -> int:
    for one in problems:
        sys.stderr.write(f"{one}\n")
    return code
