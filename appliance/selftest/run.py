"""The order of the self-test."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.selftest import bundle
from appliance.selftest.child import Child, child
from appliance.selftest.journey import Journey
from appliance.selftest.page import OPERATOR_SCREENS, SCREENS, Page
from appliance.selftest.report import Check, Report
from appliance.selftest.sink import Sink, listening


def selftest(told: Callable[[Check], None] = lambda _check: None) -> Report:
    """Test this program on this machine, on loopback and in a temporary folder that is gone afterwards."""
    report = Report(told=told)
    report.check("catalogues", bundle.catalogues)
    report.check("templates", bundle.templates)
    report.check("static files", bundle.static_files)
    report.check("database", bundle.database_files)
    report.check("vault", bundle.vault)
    report.check("tokens", bundle.tokens)
    if not report.ok:
        return report
    with (
        tempfile.TemporaryDirectory(prefix="hookport-selftest-", ignore_cleanup_errors=True) as name,
        child(Path(name).resolve()) as agent,
        listening() as sink,
    ):
        _live(report, agent, sink)
    return report


def _live(report: Report, agent: Child, sink: Sink) -> None:
    journey = Journey(agent, sink)
    journey.configure()
    if not report.check("start", agent.start):
        return
    report.check("refuse a wrong signature", journey.refuse)
    if report.check("accept a signed event", journey.accept) and report.check("deliver over HTTP", journey.deliver_http):
        report.check("deliver to a folder", journey.deliver_folder)
        report.check("deliver XML", journey.deliver_xml)
        report.check("replay", journey.replay)
        report.check("look up", journey.look_up)
        report.check("export", journey.export)
    _page(report, agent, (*SCREENS, f"/events/{journey.event}"))
    with child(agent.folder / "proxy", role="proxy") as proxy:
        _proxied(report, proxy, journey)
    report.check("TLS", journey.over_tls)
    report.check("end", agent.stop)


def _proxied(report: Report, proxy: Child, journey: Journey) -> None:
    proxy.configure(f'[server]\npublic_url = "http://127.0.0.1:{proxy.port}"\nlisten = "127.0.0.1"\nport = {proxy.port}\n')
    if report.check("proxy: start", proxy.start):
        report.check("proxy: pair, receive, pull, deliver", lambda: journey.through_proxy(proxy))
        _page(report, proxy, OPERATOR_SCREENS, name="proxy's ")
        report.check("proxy: end", proxy.stop)


def _page(report: Report, subject: Child, screens: Sequence[str], *, name: str = "") -> None:
    page = Page(subject)
    report.check(f"{name}page: files", page.static_files)
    if report.check(f"{name}page: setup", page.set_up) and report.check(f"{name}page: sign-in", page.sign_in):
        report.check(f"{name}page: screens", lambda: page.screens(*screens))
    report.check(f"{name}API", page.api)
    page.close()
