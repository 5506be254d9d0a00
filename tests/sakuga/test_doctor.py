"""The doctor: what can be set up wrong is found, and one thing to do is told."""

import asyncio
import json
import socket
from pathlib import Path

import pytest
from aiohttp import web

from sakuga import doctor, looks, store
from sakuga.looks import Finding
from sakuga.settings import Settings
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey
from tests.sakuga.test_main import run


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_a_fresh_clone_can_go_on_air_and_says_so_in_words_and_as_json(tmp_path: Path) -> None:
    words = run("doctor", var_dir=tmp_path, api_port=free_port(), bot=False)
    assert (words.returncode, words.stderr) == (0, "")
    assert words.stdout.endswith("The studio can go on air.\n")
    told = run("doctor", "--json", var_dir=tmp_path, api_port=free_port(), bot=False)
    found = json.loads(told.stdout)
    assert found["well"] is True
    assert {"settings", "studio file", "disk", "storage", "port", "redis", "fonts", "modal", "obs", "chat"} <= {
        finding["check"] for finding in found["findings"]
    }
    assert all(finding["todo"] for finding in found["findings"] if finding["state"] in {"bad", "doubtful"})


def test_a_setting_that_can_not_be_read_is_the_one_finding() -> None:
    told = run("doctor", "--json", api_prot="8420")
    assert told.returncode == 1
    (finding,) = json.loads(told.stdout)["findings"]
    assert (finding["check"], finding["state"]) == ("settings", "bad")
    assert "Did you mean SAKUGA_API_PORT?" in finding["says"]


@pytest.mark.parametrize(
    ("text", "state", "says"),
    [
        ("[limits]\nwating = 3\n", "bad", "limits.wating: there is no such key"),
        ('[chat.texts]\n"job.quued" = "soon"\n', "doubtful", "job.quued"),
        ('title = "Ours"\n', "good", "Styles: 1."),
        (None, "off", "defaults"),
    ],
)
async def test_mistakes_in_the_studio_file_are_named(tmp_path: Path, text: str | None, state: str, says: str) -> None:
    file = tmp_path / "studio.toml"
    if text is not None:
        file.write_text(text)
    finding = only(await looks.studio_file(Settings(studio_file=file)))
    assert finding.state == state
    assert says in finding.says


async def test_a_folder_that_nothing_can_be_written_to_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(looks.tempfile, "TemporaryFile", refuse)  # root may write everywhere
    finding = only(await looks.disk(Settings(var_dir=tmp_path / "var")))
    assert finding.state == "bad"
    assert "Read-only file system" in finding.says
    assert "SAKUGA_VAR_DIR" in finding.todo


@pytest.mark.parametrize(("free", "state"), [(1 << 20, "bad"), (2 << 30, "doubtful"), (9 << 30, "good")])
async def test_a_full_disk_is_told_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    usage = looks.shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(looks.shutil, "disk_usage", lambda _: usage)
    assert only(await looks.disk(Settings(var_dir=tmp_path))).state == state


# --- the port --------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def test_a_port_that_another_program_holds_is_found() -> None:
    async with site({"hello": "world"}) as port:
        finding = only(await looks.ports(Settings(api_port=port)))
    assert finding.state == "bad"
    assert "SAKUGA_API_PORT" in finding.todo


async def test_a_studio_that_runs_tells_of_itself(valkey: Valkey) -> None:
    with GatewayThread(valkey.settings) as gateway:
        finding = only(await looks.ports(Settings(gateway_url=gateway.url)))
    assert finding.state == "good"
    assert "degraded" in finding.says  # no worker is there


async def test_a_renderer_that_can_not_draw_is_told_with_its_own_sentence() -> None:
    modal = {"name": "modal", "message": "Modal knows no such token. Make one."}
    trouble = {"status": "degraded", "renderer": modal, "chats": []}
    async with site(trouble) as port:
        port_finding, renderer = await looks.ports(Settings(api_port=port))
    assert port_finding.state == "good"
    assert (renderer.state, renderer.todo) == ("bad", "Modal knows no such token. Make one.")


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        ({"state": "listening", "channel": "mika", "reward": "paused"}, ["good", "good"]),
        ({"state": "listening", "channel": None, "reward": None}, ["good"]),
        ({"state": "revoked", "message": "Log in again.", "reward": "not_affiliate"}, ["bad", "bad"]),
    ],
)
async def test_a_bot_that_runs_tells_how_it_hears_and_sells(chat: dict[str, str | None], expected: list[str]) -> None:
    said = {"status": "healthy", "renderer": {"message": None}, "chats": [{"platform": "twitch", **chat}]}
    async with site(said) as port:
        _, *findings = await looks.ports(Settings(api_port=port))
    assert [finding.state for finding in findings] == expected
    assert all(finding.todo for finding in findings if finding.state == "bad")


# --- Redis -----------------------------------------------------------------------------------------------------------


async def test_a_server_that_keeps_everything_is_well(valkey: Valkey) -> None:
    kept, clock = await looks.redis(valkey.settings)
    assert (kept.state, clock.state) == ("good", "good")


@pytest.mark.parametrize(
    ("name", "value", "state"), [("maxmemory-policy", "allkeys-lru", "bad"), ("appendonly", "no", "doubtful")]
)
async def test_a_server_that_forgets_is_found(valkey: Valkey, name: str, value: str, state: str) -> None:
    client = store.connect(valkey.url)
    await client.config_set(name, value)
    await client.aclose()
    kept, _ = await looks.redis(valkey.settings)
    assert kept.state == state
    assert name in kept.todo


async def test_a_wrong_password_is_not_taken_for_a_server_that_is_away(valkey: Valkey) -> None:
    client = store.connect(valkey.url)
    await client.config_set("requirepass", "right")
    named = f"unix://:wrong@{valkey.settings.socket}"
    finding = only(await looks.redis(Settings(redis_url=named)))
    await client.aclose()
    assert "password" in finding.says
    assert "wrong" not in finding.says + finding.todo


async def test_a_server_that_is_away_is_found() -> None:
    finding = only(await looks.redis(Settings(redis_url="redis://127.0.0.1:9/0")))
    assert (finding.state, "SAKUGA_REDIS_URL" in finding.todo) == ("bad", True)


async def test_an_address_that_is_none_is_found() -> None:
    finding = only(await looks.redis(Settings(redis_url="nonsense://:secret@x")))
    assert (finding.state, "SAKUGA_REDIS_URL" in finding.todo) == ("bad", True)
    assert "secret" not in finding.says
    finding = only(await looks.storage(Settings(storage_url="s3://")))
    assert (finding.state, "SAKUGA_STORAGE_URL" in finding.todo) == ("bad", True)


async def test_where_only_youtube_is_set_up_that_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAKUGA_YOUTUBE_API_KEY", "k" * 20)
    monkeypatch.setenv("SAKUGA_YOUTUBE_VIDEO", "no video at all")
    twitch, youtube = await looks.chat(Settings())
    assert (twitch.check, twitch.state) == ("twitch", "off")
    assert (youtube.check, youtube.state) == ("youtube video", "bad")
    assert "SAKUGA_YOUTUBE_VIDEO" in youtube.todo


async def test_clocks_that_differ_are_doubtful(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    now = looks.time.time()
    monkeypatch.setattr(looks.time, "time", lambda: now + 3600)
    _, clock = await looks.redis(valkey.settings)
    assert clock.state == "doubtful"
    assert "3600 s apart" in clock.says or "3599 s apart" in clock.says


# --- what it calls ---------------------------------------------------------------------------------------------------


async def test_a_script_that_no_font_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: str) -> tuple[int, str]:
        return 0, ""

    monkeypatch.setattr(looks, "_called", none)
    monkeypatch.setattr(looks.shutil, "which", lambda _: "fc-list")
    finding = only(await looks.fonts(Settings()))
    assert finding.state == "doubtful"
    assert "Japanese or emoji" in finding.says


async def test_modal_without_a_token_is_told_in_the_words_of_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODAL_CONFIG_PATH", "nowhere.toml")
    finding = only(await looks.modal(Settings(renderer=["modal"])))
    assert finding.state == "bad"
    assert finding.says
    assert "Traceback" not in finding.says


async def test_obs_is_known_by_what_it_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def speak(request: web.Request) -> web.WebSocketResponse:
        there = web.WebSocketResponse(protocols=["obswebsocket.json"])
        await there.prepare(request)
        return there

    async with site(speak) as port:
        monkeypatch.setattr(looks, "OBS", ("127.0.0.1", port))
        assert only(await looks.obs(Settings())).state == "good"
    async with site({"not": "OBS"}) as port:
        monkeypatch.setattr(looks, "OBS", ("127.0.0.1", port))
        assert only(await looks.obs(Settings())).state == "doubtful"
    monkeypatch.setattr(looks, "OBS", ("127.0.0.1", free_port()))
    assert only(await looks.obs(Settings())).state == "off"


async def test_a_look_that_hangs_is_given_up_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: Settings) -> list[Finding]:
        await asyncio.Event().wait()
        return []

    async def well(_: Settings) -> list[Finding]:
        return [Finding("quick", "good", "All is well.")]

    monkeypatch.setattr(doctor, "LOOK_S", 0.05)
    _, slow, quick = await doctor.examine({"slow": hang, "quick": well})
    assert (slow.state, quick.state) == ("doubtful", "good")


async def test_a_look_that_fails_hides_nothing_that_the_others_find() -> None:
    async def fail(_: Settings) -> list[Finding]:
        message = "a secret"
        raise ZeroDivisionError(message)

    async def well(_: Settings) -> list[Finding]:
        return [Finding("quick", "good", "All is well.")]

    _, failed, quick = await doctor.examine({"odd": fail, "quick": well})
    assert (failed.check, failed.state, quick.state) == ("odd", "bad", "good")
    assert failed.todo
    assert "secret" not in failed.says


class site:  # noqa: N801 - it reads as a verb
    """A server that answers /health with a document, or everything with a handler."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    async def __aenter__(self) -> int:
        async def told(request: web.Request) -> web.StreamResponse:
            return await self._answer(request) if callable(self._answer) else web.json_response(self._answer)

        app = web.Application()
        app.router.add_get("/{path:.*}", told)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
