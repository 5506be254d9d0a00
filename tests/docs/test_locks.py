"""The locks hold the same versions, and a machine without a card is spared what only a card needs."""

import re

from tests.docs.paper import HOUSE

PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)", re.MULTILINE)
LOCKS = {
    path.stem: set(PIN.findall(path.read_text("utf-8")))
    for path in (HOUSE / "requirements").glob("*.txt")
    if path.stem != "uv" and not path.stem.startswith("peers-")  # these never meet our packages
}


def test_every_process_is_locked_to_the_versions_that_are_tested() -> None:
    tested = {name for name, _ in LOCKS["dev"]}
    for lock, pins in LOCKS.items():
        assert {pin for pin in pins if pin[0] in tested} <= LOCKS["dev"], lock


def test_the_engines_on_a_cpu_are_what_a_card_gets_without_torch_and_cuda() -> None:
    card = {name for name, _ in LOCKS["gpu"]} - {"torch", "triton", "cuda-toolkit", "cuda-bindings", "cuda-pathfinder"}
    cpu = {name for name, _ in LOCKS["engines"]}
    assert {name for name in card if not name.startswith("nvidia-")} == cpu
    assert not cpu & {"pytest", "ruff", "mypy", "playwright"}
