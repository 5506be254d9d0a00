import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from gpu.pipe import ABANDONED
from sakuga.engine import EngineSpec, Progress, RenderResult
from tests.gpu.conftest import ROOT, ask

AT_ONCE_S = 1.0


def broken(**fields) -> str:
    return json.dumps(ask().model_dump(mode="json") | fields)


def run(*arguments: str) -> tuple[int, object]:
    done = subprocess.run([sys.executable, "-m", "gpu", *arguments], cwd=ROOT, capture_output=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_specs_prints_what_the_rehearsal_engine_can_do():
    status, (said,) = run("specs")
    spec = EngineSpec.model_validate(said)
    assert (status, spec.name) == (0, "rehearsal")
    assert (spec.sizes[0], spec.fps, spec.num_frames(spec.default_s)) == ((832, 480), 16, 81)
    assert (spec.shortest_s, spec.longest_s, spec.frame_step) == (2, 8, 4)


def test_specs_prints_the_engines_that_are_named_in_that_order():
    status, said = run("specs", "tiny", "rehearsal")
    assert (status, [spec["name"] for spec in said]) == (0, ["tiny", "rehearsal"])


def test_specs_tell_what_a_second_on_the_rented_gpu_costs():
    _, dear = run("specs", "wan2.1-t2v-1.3b", "rehearsal")
    _, cheap = run("specs", "wan2.1-t2v-1.3b", "--gpu", "L4")
    assert dear[0]["usd_per_s"] > cheap[0]["usd_per_s"] > 0
    assert dear[1]["usd_per_s"] == 0


def test_specs_prints_an_error_for_a_name_that_no_engine_has():
    status, said = run("specs", "wan9")
    assert (status, said["error"]["code"], "'wan9'" in said["error"]["data"]["reason"]) == (1, "render_failed", True)


def test_specs_need_no_torch_and_no_diffusers():
    code = (
        "import sys; sys.argv = ['gpu', 'specs', *__import__('gpu.engines').engines.ENGINES]\n"
        "import runpy\n"
        "try: runpy.run_module('gpu', run_name='__main__')\n"
        "except SystemExit: sys.stderr.write(' '.join({m for m in sys.modules if m in ('torch', 'diffusers', 'peft')}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len(json.loads(done.stdout)) > 2


def test_the_bars_of_libraries_stay_out_of_the_studio_s_log():
    code = (
        "import runpy, sys; sys.argv = ['gpu', 'specs']\n"
        "try: runpy.run_module('gpu', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "from tqdm import tqdm\n"
        "list(tqdm(range(3), desc='Loading weights'))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_specs_of_what_is_present_are_those_whose_weights_lie_there(tmp_path):
    assert run("specs", "--present", "--weights", str(tmp_path)) == (0, [])


def test_a_render_reports_in_order_and_ends_with_one_result(child, tmp_path):
    # Given a child that was told what to draw
    renderer = child()
    renderer.tell(ask(num_frames=33).model_dump_json())
    # When it has said everything
    lines = renderer.hear_all()
    # Then each line but the last is a report, numbered without a gap, that never goes back
    *reports, last = lines
    progress = [Progress.model_validate(line["progress"]) for line in reports]
    assert [p.sequence for p in progress] == list(range(1, len(progress) + 1))
    assert [p.fraction for p in progress] == sorted(p.fraction for p in progress)
    assert list(dict.fromkeys(p.stage for p in progress)) == ["loading", "text", "denoise", "decode", "encode"]
    assert progress[-1].fraction == 1
    # And its previews are JPEGs that an overlay can show
    previews = [report.preview for report in progress if report.preview]
    assert len(previews) >= 20
    for jpeg in previews:
        with Image.open(io.BytesIO(jpeg)) as image:
            assert (image.format, image.size) == ("JPEG", (472, 272))
    assert len(set(previews[:20])) == 20
    # And the last line names the files, which are all that there is
    result = RenderResult.model_validate(last["result"])
    assert {Path(result.video_path), Path(result.poster_path)} == set(tmp_path.iterdir())
    assert (result.width, result.height, result.fps, result.num_frames) == (832, 480, 16, 33)
    # And how it was made, with the seconds of each stage
    assert (result.making.engine, set(result.making.seconds)) == ("rehearsal", {p.stage for p in progress})
    assert renderer.process.wait(5) == 0


def test_a_paced_render_takes_its_time_evenly(child):
    renderer = child()
    renderer.tell(ask(num_frames=9, pace_s=3.0).model_dump_json())
    late, begin = [], 0.0
    while "progress" in (line := renderer.hear()):
        progress = Progress.model_validate(line["progress"])
        if progress.stage == "loading":
            begin = time.monotonic()
        if progress.stage in ("denoise", "decode"):
            late.append(abs((time.monotonic() - begin) / 3.0 - progress.fraction))
    assert "result" in line
    assert time.monotonic() - begin >= 2.9
    assert sorted(late)[len(late) // 2] < 0.35


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "can't be read"),
        (broken(seed="x"), "seed"),
        (broken(engine="nope"), "no engine"),
        (broken(width=100), "832x480"),
    ],
)
def test_a_request_that_cannot_be_drawn_ends_in_one_error_line(child, tmp_path, line, reason):
    renderer = child()
    renderer.tell(line)
    *_, last = renderer.hear_all()
    assert last["error"]["code"] == "render_failed"
    assert reason in last["error"]["data"]["reason"]
    assert renderer.process.wait(5) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_error_never_repeats_the_prompt(child):
    renderer = child()
    renderer.tell(broken(prompt="secret words", height="secret words"))
    assert "secret words" not in json.dumps(renderer.hear_all())


@pytest.mark.parametrize("way", ["stdin ends", "terminated"])
def test_a_child_without_a_parent_ends_at_once_and_leaves_no_clip(child, tmp_path, way):
    # Given a render in the middle of its frames
    renderer = child()
    renderer.tell(ask(num_frames=129).model_dump_json())
    while renderer.hear()["progress"]["stage"] != "decode":
        pass
    # When the parent goes
    begin = time.monotonic()
    renderer.process.stdin.close() if way == "stdin ends" else renderer.process.send_signal(signal.SIGTERM)
    renderer.process.wait(5)
    # Then the child goes, and what it leaves can't be taken for a clip
    assert time.monotonic() - begin < AT_ONCE_S
    assert [file.name for file in tmp_path.iterdir() if file.suffix != ".part"] == []


def test_a_child_that_is_never_asked_goes_with_its_parent(child):
    renderer = child()
    renderer.process.stdin.close()
    assert renderer.process.wait(5) == 3
    assert renderer.process.stdout.read() == b""


def test_specs_that_nobody_waits_for_any_more_are_dropped_in_silence():
    command = [sys.executable, "-m", "gpu", "specs"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asked:
        asked.stdout.close()
        said = asked.stderr.read()
    assert (asked.returncode, said) == (ABANDONED, b"")
