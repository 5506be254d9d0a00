import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
import torch

from gpu.bench import __main__ as bench
from gpu.bench import measure
from gpu.bench.__main__ import lines, main
from gpu.bench.chart import chart
from gpu.bench.floors import Work
from gpu.bench.fullsize import FULL
from gpu.bench.measure import Bench, Row
from gpu.cloud import container
from gpu.engines import Place, find_spec
from tests.gpu.bench.test_dice import small
from tests.gpu.conftest import ROOT

SECONDS = {"text": 0.05, "denoise": 2.0, "decode": 1.0, "encode": 0.25}
ROW = Row("wan2.1-t2v-1.3b", "live", "random", 832, 448, 81, 3, SECONDS, 18.2, "bf16", 0.0041, 1.1)


def test_the_whole_bench_runs_on_the_cpu_with_the_tiny_engine(tmp_path, capsys, monkeypatch):
    short = find_spec("tiny").model_copy(update={"default_s": 0.3})
    monkeypatch.setattr(measure, "find_spec", lambda name: short)
    assert main(["--tiny", "--runs", "1", "--stock", "--out", str(tmp_path)]) == 0
    facts = json.loads((tmp_path / "bench.json").read_text())
    (row,) = facts["rows"]
    assert (row["engine"], row["preset"], row["weights"], row["steps"]) == ("tiny", "live", "random", 4)
    for seconds in (row["seconds"], row["stock"]):
        assert list(seconds) == ["text", "denoise", "decode", "encode"]
        assert seconds["denoise"] > 0
        assert seconds["decode"] > 0
    assert (facts["card"], row["usd"], row["floor_s"]) == ("cpu", None, None)
    assert facts["versions"]["diffusers"] == "0.42.1"
    ET.parse(tmp_path / "bench.svg")
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[:3]] == [
        ["engine", "by"],
        ["tiny", "sakuga"],
        ["tiny", "diffusers"],
    ]


def test_without_a_card_it_says_so_in_one_sentence(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count(".")) == ("", 1)
    assert "no CUDA card" in said.err


@pytest.mark.parametrize("module", ["gpu.bench", "gpu.bench.floors"])
def test_without_torch_it_says_in_one_sentence_what_installs_it(module):
    code = (
        "import runpy, sys; sys.modules.update(torch=None, diffusers=None); sys.argv = ['bench'];"
        f"runpy.run_module({module!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "What draws is not installed here (diffusers). Install it: make demo RENDERER=local ENGINE=tiny\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--tiny", "ltx-video-2b"], "--tiny measures the tiny engine alone: leave ltx-video-2b out"),
        (["wan"], "there is no engine 'wan'; there are wan2.1-t2v-1.3b,"),
        (["--runs", "0"], "a number from 1 on is needed"),
        (["--runs", "-1"], "a number from 1 on is needed"),
    ],
)
def test_what_can_not_be_measured_is_refused(words, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_an_engine_without_weights_is_measured_with_random_ones(tmp_path, monkeypatch):
    full = FULL["ltx-video-2b"]
    monkeypatch.setitem(
        FULL,
        "ltx-video-2b",
        replace(full, **{part: small(getattr(full, part)) for part in ("transformer", "vae", "text")}),
    )
    place = Place(weights=tmp_path / "weights", media=tmp_path, cache=tmp_path / "cache", device="cpu")
    spec = find_spec("ltx-video-2b")
    little = spec.model_copy(update={"default_s": 0.3, "sizes": ((96, 64),)})
    monkeypatch.setattr(measure, "find_spec", lambda name: little)
    monkeypatch.setattr(measure, "work_of", lambda spec, preset: Work(text=1, begin=0, denoise=300, decode=61))
    row = Bench(place, tmp_path, runs=1).measure("ltx-video-2b", "live", "NVIDIA L40S")
    assert (row.weights, row.width, row.height, row.num_frames, row.steps) == ("random", 96, 64, 9, 7)
    assert row.floor_s == 1.0
    assert row.usd == pytest.approx(row.total_s * (0.000542 + 4 * 0.0000131 + 28 * 0.00000222), rel=0.01, abs=1e-5)


def test_one_engine_that_fails_does_not_stop_the_others(tmp_path, capsys, monkeypatch):
    class Broken(Bench):
        def measure(self, name, preset, card):
            raise MemoryError

    monkeypatch.setattr(bench, "Bench", Broken)
    assert main(["--tiny", "--out", str(tmp_path)]) == 1
    assert "tiny: MemoryError" in capsys.readouterr().err


def test_a_row_says_what_it_cost_and_how_far_from_the_floor_it_is():
    ours, theirs = lines([replace(ROW, stock={"text": 0.1, "denoise": 3.3, "decode": 3.0, "encode": 0.2})])
    assert ours == (
        "wan2.1-t2v-1.3b",
        "sakuga bf16 (random)",
        "0.05",
        "2.00",
        "1.00",
        "0.25",
        "3.30",
        "18.2",
        "0.0041",
        "3.0",
    )
    assert theirs[-1] == "2.00 x ours"


def test_a_row_without_room_for_diffusers_says_so():
    _, theirs = lines([replace(ROW, stock="out of memory")])
    assert theirs[1] == "diffusers: out of memory"


def test_the_bench_counts_what_a_container_really_has():
    assert (measure.CORES, measure.SPARE_GIB) == (container.CORES, container.SPARE_GIB)


def test_a_chart_has_a_bar_for_each_stage_on_one_scale():
    svg = ET.fromstring(chart("Seconds <of> a clip", [("a & b", SECONDS), ("half", {"denoise": 1.65})]))
    bars = [node for node in svg.iter("{http://www.w3.org/2000/svg}rect") if node.get("height") == "16"]
    widths = [float(bar.get("width")) for bar in bars]
    assert len(bars) == 8
    assert sum(widths[:4]) == pytest.approx(2 * sum(widths[4:]), rel=0.01)
    texts = [node.text for node in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Seconds <of> a clip", "a & b", "3.30 s", "1.65 s"} <= set(texts)


def test_an_empty_chart_is_still_a_picture():
    ET.fromstring(chart("Nothing", []))
