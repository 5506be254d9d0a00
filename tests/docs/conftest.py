"""A whole studio on a port of its own, for the examples in the papers."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sakuga.settings import PREFIX, Settings

HOUSE = Path(__file__).parents[2]
READY_S, STOP_S = 30, 15


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the demo without its bot, drawing as fast as it can, and give its address."""
    folder = tmp_path_factory.mktemp("studio")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = Settings.model_construct().environ()
    settings = {
        "API_PORT": str(port),
        "VAR_DIR": str(folder / "var"),
        "STUDIO_FILE": str(HOUSE / "studio.toml"),
        "REHEARSAL_SECONDS": "0",
        "SLOTS": "2",
        "BOT": "false",
    }
    environment = {name: value for name, value in inherited.items() if not name.startswith(PREFIX)}
    environment |= {PREFIX + name: value for name, value in settings.items()} | {"PYTHONPATH": str(HOUSE)}
    log = folder / "log"
    with log.open("w") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "sakuga", "demo"], cwd=folder, env=environment, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, demo, log)
        yield url
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(STOP_S)


def _wait(url: str, demo: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and demo.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            if json.load(answer)["status"] == "healthy":
                return
        time.sleep(0.05)
    pytest.fail(f"the studio did not start:\n{log.read_text()}")
