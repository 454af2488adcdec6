"""An agent on a real port, as the commands find it through its data folder."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from click.testing import CliRunner, Result

from appliance.command.root import hookport
from appliance.data_folder import DataFolder
from appliance.running import Running, write_running
from tests.web.api.stand_in import MACHINE_TOKEN, StandIn


@dataclass
class Served:
    """The stand-in process behind a port, and a way to run commands about it."""

    folder: DataFolder
    process: StandIn
    runner: CliRunner = field(default_factory=CliRunner)

    def run(self, *args: str, **options: Any) -> Result:
        return self.runner.invoke(hookport, [*args, "--data-dir", str(self.folder.path)], **options)


@pytest.fixture
def served(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Served]:
    folder = DataFolder(path=tmp_path / "data")
    folder.spool.mkdir(parents=True)
    process, port = StandIn(spool=folder.spool), free_port()
    config = uvicorn.Config(cast(Any, process.app()), port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    write_running(folder, Running(pid=os.getpid(), page=f"http://127.0.0.1:{port}"), MACHINE_TOKEN)
    try:
        yield Served(folder=folder, process=process)
    finally:
        server.should_exit = True
        thread.join(10)
