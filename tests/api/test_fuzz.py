"""Whatever the schema allows, and much that it doesn't: no 5xx, and no answer that the schema doesn't describe."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pyrate_limiter import Duration, Rate

from api import door
from sakuga import store
from sakuga.role import Role
from tests.fakes.keys import bearer
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
RUN = Path(sys.executable).with_name("schemathesis")


@pytest.mark.timeout(180)
async def test_the_gateway_stays_within_its_schema(
    valkey: Valkey, redis: store.Client, worker: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "WRITES", dict.fromkeys(Role, Rate(100_000, Duration.SECOND)))
    monkeypatch.setattr(door, "verify", lambda *_, **__: None)  # tests/api/test_inbound.py signs
    key = await bearer(redis, Role.BROADCASTER)
    with GatewayThread(valkey.settings) as gateway:
        fuzz = await asyncio.to_thread(
            subprocess.run,
            [
                *(str(RUN), "run", f"{gateway.url}/openapi.json"),
                *("--checks", ",".join(CHECKS), "--max-examples", "30", "--seed", "8420", "--no-color"),
                *("--header", f"Authorization: {key['Authorization']}"),
                *("--exclude-path", "/events"),  # never ends; tests/api/test_events.py has it
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert fuzz.returncode == 0, fuzz.stdout[-6000:] + fuzz.stderr[-2000:]
    (generated,) = re.findall(r"(\d+) generated", fuzz.stdout)
    assert int(generated) > 200
