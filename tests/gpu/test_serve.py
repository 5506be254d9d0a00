"""The resident child: as a process, and its one place for an engine."""

import json
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from gpu.engines import Place
from gpu.serve import Resident
from sakuga.errors import FramesInvalid, GpuMemoryExhausted, RenderCancelled, RenderFailed, RenderLost, Unexpected
from tests.gpu.conftest import ROOT, Child, ask

AT_ONCE_S = 1.0


class Server(Child):
    """`python -m gpu serve`, which has said that it is ready."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "gpu", "serve", "--weights", str(folder / "weights")]
        pipe = subprocess.PIPE
        self.folder = folder
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)
        self.greeting = self.hear()

    def draw(self, handle: str, **fields) -> None:
        request = ask(**({"job_id": handle, "num_frames": 5} | fields)).model_dump(mode="json")
        self.tell(json.dumps({"render": request, "handle": handle, "out": str(self.folder / handle)}))

    def hear_until(self, found: Callable[[dict], object]) -> list[dict]:
        heard = [self.hear()]
        while not found(heard[-1]):
            heard.append(self.hear())
        return heard


def ended(line: dict) -> bool:
    return "result" in line or "error" in line


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Server]:
    child = Server(tmp_path)
    yield child
    child.end()


def test_it_greets_and_says_which_engine_is_in_memory(child):
    assert child.greeting == {"ready": {"engine": None, "device": None}}
    child.tell(json.dumps({"warm": "rehearsal"}))
    assert child.hear() == {"ready": {"engine": "rehearsal", "device": "cpu"}}


def test_an_engine_that_can_not_be_warmed_is_told_with_its_error(child):
    child.tell(json.dumps({"warm": "rehearsal"}))
    child.tell(json.dumps({"warm": "wan9"}))
    *_, held, said = child.hear_until(ended)
    assert held["ready"]["engine"] == "rehearsal"
    assert (said["warm"], said["error"]["code"]) == ("wan9", "render_failed")


def test_warming_what_is_in_memory_is_answered_too(child):
    for _ in range(2):
        child.tell(json.dumps({"warm": "rehearsal"}))
        assert child.hear() == {"ready": {"engine": "rehearsal", "device": "cpu"}}


def test_renders_are_drawn_one_after_the_other_each_under_its_handle(child, tmp_path):
    # Given two renders, told at once
    for handle in ("first", "second"):
        child.draw(handle)
    # When both have ended
    lines = [*child.hear_until(ended), *child.hear_until(ended)]
    # Then what was said of one came before what was said of the other
    handles = [line["handle"] for line in lines if "handle" in line]
    assert handles == sorted(handles)
    # And each was numbered from one, has its files in its folder, and says what drew it
    for handle in ("first", "second"):
        own = [line for line in lines if line.get("handle") == handle]
        assert [line["progress"]["sequence"] for line in own[:-1]] == list(range(1, len(own)))
        assert Path(own[-1]["result"]["video_path"]).parent == tmp_path / handle
        assert own[-1]["result"]["making"]["engine"] == "rehearsal"
    # And the engine was loaded once
    assert sum("ready" in line for line in lines) == 1


def test_a_cancel_stops_a_render_within_one_step_and_the_next_is_drawn(child, tmp_path):
    child.draw("long", num_frames=129)
    child.hear_until(lambda line: line.get("progress", {}).get("stage") == "decode")
    child.tell(json.dumps({"cancel": "long"}))
    after = child.hear_until(ended)
    assert after[-1] == {"handle": "long", "error": {"code": "render_cancelled", "data": {}}}
    assert len(after) < 20  # a few that were on their way
    assert list((tmp_path / "long").iterdir()) == []
    child.draw("next")
    assert "result" in child.hear_until(ended)[-1]


def test_a_render_that_is_cancelled_while_it_waits_is_never_begun(child, tmp_path):
    child.draw("first", num_frames=33)
    child.draw("waiting")
    child.tell(json.dumps({"cancel": "waiting"}))
    child.hear_until(ended)
    assert child.hear() == {"handle": "waiting", "error": {"code": "render_cancelled", "data": {}}}
    assert not (tmp_path / "waiting").exists()


def test_a_cancel_of_something_unknown_does_not_stop_what_comes_later(child):
    child.tell(json.dumps({"cancel": "later"}))
    child.draw("later")
    assert "result" in child.hear_until(ended)[-1]


@pytest.mark.parametrize(("fields", "reason"), [({"engine": "nope"}, "no engine"), ({"width": 100}, "832x480")])
def test_a_request_that_cannot_be_drawn_ends_in_an_error_and_the_next_is_drawn(child, fields, reason):
    child.draw("bad", **fields)
    *_, last = child.hear_until(ended)
    assert (last["handle"], last["error"]["code"]) == ("bad", "render_failed")
    assert reason in last["error"]["data"]["reason"]
    child.draw("good")
    assert "result" in child.hear_until(ended)[-1]


def test_a_request_of_another_form_ends_in_an_error_without_its_words(child):
    child.tell(json.dumps({"render": {"prompt": "secret words"}, "handle": "odd", "out": "x"}))
    said = child.hear()
    assert (said["handle"], said["error"]["code"]) == ("odd", "render_failed")
    child.process.kill()
    assert "secret words" not in json.dumps(said) + child.process.stderr.read().decode()


def test_an_order_that_can_not_be_read_is_passed_over_without_its_words(child):
    for line in ("{", '{"sing": "secret words"}', '{"cancel": ["secret words"]}'):
        child.tell(line)
    child.draw("next")
    assert "result" in child.hear_until(ended)[-1]
    child.process.kill()
    noise = child.process.stderr.read().decode()
    assert noise.count("can't be read") == 3
    assert "secret words" not in noise


def test_a_child_without_a_parent_ends_at_once_in_the_middle_of_a_render(child, tmp_path):
    child.draw("long", num_frames=129)
    child.hear_until(lambda line: line.get("progress", {}).get("stage") == "decode")
    begin = time.monotonic()
    child.process.stdin.close()
    assert child.process.wait(5) == 3
    assert time.monotonic() - begin < AT_ONCE_S
    assert [file for file in tmp_path.rglob("*") if file.suffix in {".mp4", ".jpg"}] == []


class Heavy:
    """An engine that counts how many of its kind are in memory."""

    alive: ClassVar = weakref.WeakSet()
    seen: ClassVar[list[int]] = []

    def __init__(self, name: str) -> None:
        self.spec = type("Spec", (), {"name": name})()
        self.cycle = self  # as pipelines have them: counting references alone does not free one

    def load(self) -> None:
        Heavy.alive.add(self)
        Heavy.seen.append(len(Heavy.alive))
        if self.spec.name == "too large":
            raise torch.OutOfMemoryError


@pytest.fixture
def resident(monkeypatch) -> Resident:
    Heavy.alive.clear()
    Heavy.seen.clear()
    monkeypatch.setattr("gpu.serve.find_engine", lambda name, place: Heavy(name))
    return Resident(Place())


def test_never_two_engines_are_in_memory(resident):
    for name in ("wan", "wan", "ltx", "wan"):
        assert resident.engine(name).spec.name == name
    assert Heavy.seen == [1, 1, 1]


def test_an_engine_that_does_not_load_is_not_kept(resident):
    with pytest.raises(GpuMemoryExhausted):
        resident.engine("too large")
    assert resident.held is None


def test_an_engine_whose_libraries_are_missing_is_an_error_and_no_crash(resident, monkeypatch):
    def find(_name, _place):
        raise ImportError

    monkeypatch.setattr("gpu.serve.find_engine", find)
    with pytest.raises(RenderFailed, match="ImportError in wan"):
        resident.engine("wan")


def test_an_engine_that_does_not_exist_takes_the_place_of_none(resident, monkeypatch):
    resident.engine("wan")
    monkeypatch.undo()
    with pytest.raises(RenderFailed, match="no engine"):
        resident.engine("nope")
    assert resident.has("wan")


@pytest.mark.parametrize(
    "error",
    [RenderCancelled(), FramesInvalid(engine="wan"), RenderFailed(reason="no"), GpuMemoryExhausted(engine="wan")],
)
def test_what_was_foreseen_keeps_the_engine(resident, error):
    engine = resident.engine("wan")
    assert resident.doubt(error) is error
    assert resident.engine("wan") is engine


def test_what_nobody_foresaw_has_the_engine_loaded_anew(resident):
    resident.engine("wan")
    error = Unexpected(reference="job_01.1 ValueError")
    assert resident.doubt(error) is error
    assert resident.held is None


def test_a_card_that_turns_out_to_answer_no_more_is_told_instead_of_the_failure(resident, monkeypatch):
    broken = torch.AcceleratorError("CUDA error: device-side assert triggered")

    def answer():
        raise broken

    resident.engine("wan")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", answer)
    assert isinstance(resident.doubt(Unexpected(reference="job_01.1 ValueError")), RenderLost)
    assert resident.held is None
