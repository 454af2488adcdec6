"""The load: wrk posting the webhook as fast as it is taken."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.bench.children import BenchError, finished
from tests.bench.hook import body, signature

CONNECTIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of wrk came to."""

    accepted: int  # answers with 2xx
    seconds: float
    p99: float  # seconds to the answer
    refused: int = 0  # other answers, and what broke off

    @property
    def rate(self) -> float:
        """Accepted a second."""
        return self.accepted / self.seconds


def post(url: str, *, seconds: int, folder: Path, connections: int = CONNECTIONS, refusals: bool = False) -> Load:
    """Post for some seconds. Raises BenchError when wrk is missing or, unless there may be refusals, where there was one."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchError("wrk is not installed; on Debian and Ubuntu: apt-get install wrk")
    content = body()
    (folder / "body.json").write_bytes(content)
    script = Path(__file__).with_name("hook.lua")
    command = [wrk, "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url, "--"]
    output = finished([*command, str(folder / "body.json"), signature(content)], seconds=seconds + 30)
    found = json.loads(next(line for line in output.splitlines() if line.startswith("@"))[1:])
    refused = found["refused"] + found["broken"]
    if refused and not refusals:
        raise BenchError(f"{url}: {found['refused']} refused and {found['broken']} broken of {found['requests']}")
    accepted = found["requests"] - found["refused"]
    return Load(accepted=accepted, seconds=found["microseconds"] / 1e6, p99=found["p99"] / 1e6, refused=refused)
