"""`hookport selftest`: whether this very program works on this machine."""

import sys

import click

from appliance import VERSION
from appliance.command import flags
from appliance.command.terminal import show, show_json


@click.command()
@flags.as_json
@click.option("--interrupt", type=int, hidden=True, help="Be the helper that sends Ctrl-C on Windows.")
@click.pass_context
def selftest(context: click.Context, as_json: bool, interrupt: int | None) -> None:
    """Test this program on this machine: receive, refuse, deliver, replay, export, the page, TLS.

    Works in a temporary folder and on loopback, and touches no data folder. Takes some seconds; exits 1 when a check failed.

    \b
    Example:
      hookport selftest
    """
    if sys.platform == "win32" and interrupt is not None:
        from appliance.selftest.interrupt_windows import send_interrupt

        send_interrupt(interrupt)
        return
    from appliance.selftest.report import Check
    from appliance.selftest.run import selftest as test

    def tell(check: Check) -> None:
        if not as_json:
            show(f"{'failed' if check.why else 'ok':<7} {check.name} ({check.seconds:.1f} s)")
            if check.why:
                show(f"        {check.why}")

    report = test(tell)
    if as_json:
        show_json({"version": VERSION, **report.as_json()})
    else:
        show("This program works on this machine." if report.ok else "Something failed: see above.")
    context.exit(0 if report.ok else 1)
