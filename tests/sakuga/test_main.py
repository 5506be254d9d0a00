"""The command line, run as people run it."""

import subprocess
import sys
from pathlib import Path

import pytest

from sakuga import __version__
from sakuga.settings import Settings
from sakuga.storage import Storage
from tests.fakes.jobs import clip

ROOT = Path(__file__).parents[2]


def run(*words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sakuga", *words],
        cwd=ROOT,
        env=Settings.model_construct().environ(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_version_is_told() -> None:
    assert run("--version").stdout == f"sakuga {__version__}\n"


@pytest.mark.parametrize("words", [[], ["sing"], ["gallery"]])
def test_an_unknown_command_is_told_what_there_is(words: list[str]) -> None:
    told = run(*words)
    assert told.returncode == 2
    assert "usage: python -m sakuga" in told.stderr


async def test_the_gallery_is_rebuilt_from_the_folder_by_one_command(tmp_path: Path) -> None:
    video, poster = tmp_path / "v.mp4", tmp_path / "p.jpg"
    video.write_bytes(b"video")
    poster.write_bytes(b"poster")
    storage = Storage.open(Settings(var_dir=tmp_path))
    for number in (1, 2, 3):
        await storage.put(clip(number), video, poster)
    told = run("gallery", "rebuild", var_dir=tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (0, "The gallery has 3 clips.\n", "")


def test_a_broker_that_is_away_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    told = run("gallery", "rebuild", var_dir=tmp_path, redis_url="redis://127.0.0.1:9/0")
    assert told.returncode == 1
    assert told.stderr.startswith("The studio's memory is not answering.")
    assert "Traceback" not in told.stderr
