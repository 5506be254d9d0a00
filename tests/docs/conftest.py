"""A whole studio on a port of its own, for the examples in the papers."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sakuga.settings import PREFIX, Settings

HOUSE = Path(__file__).parents[2]
READY_S, STOP_S = 30, 15


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the studio runs in."""
    return tmp_path_factory.mktemp("studio")


@pytest.fixture
def desk(studio: str, house: Path, tmp_path: Path) -> Path:
    """An empty folder of a reader who follows a paper, with the studio's `var` in it."""
    (tmp_path / "var").symlink_to(house / "var")
    return tmp_path


@pytest.fixture
def key(studio: str, house: Path) -> dict[str, str]:
    """The header that shows the key which the demo made for its owner."""
    return {"Authorization": f"Bearer {(house / 'var' / 'demo.key').read_text().strip()}"}


@pytest.fixture(scope="session")
def studio(house: Path) -> Iterator[str]:
    """Run the demo without its bot, drawing as fast as it can, and give its address."""
    folder = house
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
        _wait(demo, log)
        yield url
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(STOP_S)


def _wait(demo: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and demo.poll() is None:
        if "Ctrl-C" in log.read_text("utf-8"):  # the last line of its greeting
            return
        time.sleep(0.05)
    pytest.fail(f"the studio did not start:\n{log.read_text()}")
