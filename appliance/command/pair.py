"""`hookport pair` and `hookport pairing`: joining an organisation at a hosted proxy, and what a person does about it later."""

import click

from appliance.command import flags
from appliance.command.client import Agent, Json, talk
from appliance.command.secret import read_secret_here
from appliance.command.terminal import moment, show, show_json, show_table, tell
from appliance.data_folder import DataFolder
from touchpoints.problem import ProblemError, problem


@click.command()
@click.argument("code")
@click.option("--proxy", "url", required=True, metavar="URL", help="Where the proxy is, such as https://proxy.example.net.")
@click.option("--name", default="", metavar="NAME", help="What this agent is called there.  [default: this machine's name]")
@flags.as_json
@flags.data_dir
def pair(folder: DataFolder, code: str, url: str, name: str, as_json: bool) -> None:
    """Join this agent to an organisation at a hosted proxy.

    CODE is what the proxy's operator gives: it works once, for ten minutes. The mode stays as it is.
    The organisation's first agent prints the recovery key, alone on the last line of stdout and never again: keep it where
    it outlives this machine. A later agent waits until a person approves it on another one, or enters the recovery key.

    \b
    Example:
      hookport pair 7K2M-9QXD-C4TN-WB6E-H3RA --proxy https://proxy.example.net
    """
    wanted = {"code": code, "url": url, "name": name}
    made = talk(folder, lambda agent: agent.ask("POST", "/proxy/pair", json=wanted), may_begin=True)
    if as_json:
        show_json(made)
        return
    tell(f"Paired with {made['url']} as {made['agent']} of {made['domain']}.")
    if made["recovery_key"]:
        tell("The recovery key is shown this once. It opens what waits at the proxy when every agent is lost; keep it apart:")
        show(made["recovery_key"])
        return
    tell(f"It waits for the organisation's key. Its fingerprint is {made['fingerprint']}")
    tell("Approve it on an agent that is already paired (hookport pairing approve), or here: hookport pairing recover")


@click.group()
def pairing() -> None:
    """See this agent's place at its proxy, approve another agent, enter the recovery key, leave.

    \b
    Example:
      hookport pairing status
    """


@pairing.command()
@flags.as_json
@flags.data_dir
def status(folder: DataFolder, as_json: bool) -> None:
    """Show how this agent stands at its proxy, with the organisation's agents as the proxy tells them.

    \b
    Example:
      hookport pairing status --json
    """
    found = talk(folder, _standing)
    if as_json:
        show_json(found)
        return
    if not found["paired"]:
        show("This agent is not paired with a proxy.")
        return
    show(f"Paired with  {found['url']} as {found['agent']} of {found['domain']}")
    show(f"State        {found['state']}")
    show(f"Fingerprint  {found['fingerprint']}")
    _show_closing("direct", found["direct_closing"])
    _show_closing("through the proxy", found["closing"])
    if found["problem"]:
        show(f"  - {found['problem']['text']} {found['problem']['mend']}")
    if found["organisation"] is None:
        return
    agents = found["organisation"]["agents"]
    rows = [
        (one["id"], one["name"], _does(one), one["fingerprint"], moment(one["last_seen_at"]), one["unsettled"])
        for one in agents
    ]
    show_table(("AGENT", "NAME", "STATE", "FINGERPRINT", "LAST SEEN", "UNSETTLED"), rows)
    for one in agents:
        if one["lacking"]:
            show(f"  - {one['name']} lacks {', '.join(one['lacking'])}")


def _does(agent: Json) -> str:
    if agent["state"] != "ready":
        return str(agent["state"])
    return "pulls" if agent["holds_lease"] else "stands by"


def _show_closing(way: str, closing: Json | None) -> None:
    if closing is not None:
        at = closing["last_used_at"]
        used = f"last used {moment(at)}" if at else f"not used since {moment(closing['since'])}"
        show(f"Closing      {way}: {used}")


async def _standing(agent: Agent) -> Json:
    found = await agent.ask("GET", "/proxy")
    organisation: Json | None = None
    if found["paired"]:
        try:
            organisation = await agent.ask("GET", "/proxy/organisation")
        except ProblemError as error:
            for one in error.problems:
                tell(str(one))
    return found | {"organisation": organisation}


@pairing.command()
@click.argument("agent_id", metavar="AGENT")
@click.option("--fingerprint", required=True, metavar="F", help="As the other agent itself shows it, compared by you.")
@flags.as_json
@flags.data_dir
def approve(folder: DataFolder, agent_id: str, fingerprint: str, as_json: bool) -> None:
    """Hand the organisation's key to another agent, which can then open what is sent to the organisation.

    AGENT is its id or name in `hookport pairing status`. Read the fingerprint on the other machine, not from that list.

    \b
    Example:
      hookport pairing approve spare --fingerprint "01899 94045 09945 87995 89007 59446"
    """

    async def approved(agent: Agent) -> Json:
        agents = (await agent.ask("GET", "/proxy/organisation"))["agents"]
        waiting = [one["id"] for one in agents if agent_id in (one["id"], one["name"]) and one["state"] == "waiting"]
        if len(waiting) != 1:
            raise ProblemError(problem("proxy_agent_unknown"))
        return await agent.ask("POST", "/proxy/approve", json={"agent_id": waiting[0], "fingerprint": fingerprint})

    done = talk(folder, approved)
    if as_json:
        show_json(done)
    else:
        tell(f"Approved {agent_id}: it has the organisation's key now.")


@pairing.command()
@flags.as_json
@flags.data_dir
def recover(folder: DataFolder, as_json: bool) -> None:
    """Enter the recovery key, from standard input: this agent then has the organisation's key.

    \b
    Example:
      hookport pairing recover < recovery-key.txt
    """
    wanted = {"recovery_key": read_secret_here("Recovery key")}
    done = talk(folder, lambda agent: agent.ask("POST", "/proxy/recover", json=wanted))
    if as_json:
        show_json(done)
    else:
        tell("This agent has the organisation's key.")


@pairing.command()
@click.option("--anyway", is_flag=True, help="Also where the proxy cannot be told; its operator then revokes this agent.")
@flags.as_json
@flags.data_dir
def leave(folder: DataFolder, anyway: bool, as_json: bool) -> None:
    """Unpair this agent: its keys are forgotten here and revoked at the proxy.

    \b
    Example:
      hookport pairing leave
    """
    done = talk(folder, lambda agent: agent.ask("POST", "/proxy/leave", json={"anyway": anyway}))
    if as_json:
        show_json(done)
    else:
        tell("This agent is no longer paired.")


@pairing.command()
@click.argument("what", type=click.Choice(["run", "drop"]))
@flags.as_json
@flags.data_dir
def left(folder: DataFolder, what: str, as_json: bool) -> None:
    """Run or drop the events that a former pairing left: pulled, and never confirmed by its proxy.

    Run, they may have run on another agent too; dropped, they are gone.

    \b
    Example:
      hookport pairing left run
    """
    done = talk(folder, lambda agent: agent.ask("POST", "/proxy/left", json={"run": what == "run"}))
    if as_json:
        show_json(done)
    else:
        tell(f"{'Ran' if what == 'run' else 'Dropped'} {done['events']}.")


@pairing.command()
@click.argument("what", type=click.Choice(["restored"]))
@flags.as_json
@flags.data_dir
def dismiss(folder: DataFolder, what: str, as_json: bool) -> None:
    """Dismiss what you have looked after: "restored", that the proxy was put back to an older state.

    \b
    Example:
      hookport pairing dismiss restored
    """
    done = talk(folder, lambda agent: agent.ask("POST", "/proxy/dismiss", json={"what": what}))
    if as_json:
        show_json(done)
    else:
        tell("Dismissed.")
