import re

import pytest

from docs import figures
from gpu.bench.floors import TUNED, UNTUNED, work_of
from gpu.cloud import container
from gpu.engines import find_spec
from gpu.price import Show, cost

LISTED = re.compile(r"`([^`]+)` \(([^)]+)\)")
TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.mark.parametrize("page", figures.PAGES)
def test_a_page_on_speed_or_cost_says_what_the_code_says(page):
    assert (figures.DOCS / page).read_text("utf-8") == figures.fresh(page), "run `python -m docs.figures`"


@pytest.mark.parametrize("page", figures.PAGES)
def test_no_table_is_forgotten_or_unknown(page):
    text = (figures.DOCS / page).read_text("utf-8")
    assert re.findall(r"<!-- ([a-z-]+) -->\n\n\|", text)
    assert text.count("<!-- end -->") == len(figures.PLACE.findall(text))


def test_every_table_stands_on_a_page():
    placed = [
        name for page in figures.PAGES for name in figures.PLACE.findall((figures.DOCS / page).read_text("utf-8"))
    ]
    assert sorted(placed) == sorted(figures.FIGURES)


def test_the_pages_count_what_a_container_really_has():
    for spec in figures.specs():
        seconds = figures.per_clip(spec, "H100", 1.0)
        asked = cost(gpu="H100", seconds=1.0, cores=container.CORES, memory_gib=container.memory_gib(spec))
        assert seconds == pytest.approx(asked.usd)


def test_the_sentences_on_costs_are_those_of_the_tables():
    """The figures that stand in prose, worked out by hand from the same functions."""
    text = (figures.DOCS / "explanation" / "costs.md").read_text("utf-8")
    wan, ltx = find_spec("wan2.1-t2v-1.3b"), find_spec("ltx-video-2b")
    work = work_of(wan, "live")
    low, high = work.expected_s("H100", TUNED), work.expected_s("H100", UNTUNED)
    per_s = figures.per_clip(wan, "H100", 1.0)
    said = [
        f"= {per_s:.6f} dollars a second",
        f"a clip of {low:.1f} to {high:.1f} s costs ${low * per_s:.4f} to ${high * per_s:.4f}",
        f"(2.7 s drawing + 10 s start + 60 s waiting) {TIMES} 0.001212 = {30 * (low + 70) * per_s:.2f} dollars",
        f"half an hour of waiting alone costs ${1800 * figures.per_clip(ltx, 'L4', 1.0):.2f} on the cheapest GPU",
        f"and ${1800 * per_s:.2f} on an H100",
        f"two hours costs ${7210 * figures.per_clip(wan, 'L4', 1.0):.2f} on an L4 and ${7210 * per_s:.2f} on an H100",
    ]
    prose = " ".join(text.split())
    for sentence in said:
        assert sentence in prose, sentence
    assert figures.SHOWS["one by one"] == Show(bursts=30, boot_s=10, idle_s=60)
    assert round(30 * low * per_s, 2) == 0.1  # "of which the drawing is ten cents"
    on_l4 = figures.per_clip(wan, "L4", 1.0)
    assert 3.5 < per_s / on_l4 < 3.8  # "nearly four times as much"
    assert 1.9 < on_l4 * work.expected_s("L4", TUNED) / (per_s * low) < 2.1  # "about twice as much"


def verdicts(preset, engine):
    rows = [row.split(" | ") for row in figures.clip_costs().splitlines() if f"`{engine}` | {preset} " in row]
    return {row[-1].strip(" |") for row in rows}


def test_who_keeps_the_promise_of_ten_seconds_is_said_rightly():
    for engine in ("wan2.1-t2v-1.3b", "ltx-video-2b", "ltx-video-13b", "ltx-2"):
        assert verdicts("draft", engine) == verdicts("live", engine) == {"yes"}
    assert verdicts("quality", "ltx-video-2b") == verdicts("quality", "ltx-video-13b") == {"yes"}
    for preset in ("draft", "live"):
        assert verdicts(preset, "mochi-1") == verdicts(preset, "hunyuanvideo-1.5") == {"no"}
    for spec in figures.specs():
        if not spec.name.startswith("ltx-video"):
            assert verdicts("quality", spec.name) == {"no"}, spec.name
    drafts = [spec for spec in figures.specs() if "yes" in verdicts("draft", spec.name)]
    assert len(drafts) > 0.7 * len(list(figures.specs()))


def test_every_preset_of_every_engine_is_told_to_keep_the_promise_or_not():
    rows = [row.split(" | ") for row in figures.promises().splitlines()[2:]]
    told = {
        (name, preset) for _, who in rows for name, presets in LISTED.findall(who) for preset in presets.split(", ")
    }
    assert told == {(spec.name, preset) for spec, preset, _ in figures.clips(("draft", "live", "quality"))}
    assert "`ltx-2` (quality)" in rows[2][1]
    assert "`hunyuanvideo-1.5-i2v` (live, quality)" in rows[2][1]


def kept(show):
    column = list(figures.SHOWS).index(show) + 2
    rows = [row.strip("| ").split(" | ") for row in figures.show_costs().splitlines()[2:]]
    return {(row[0].strip("`"), row[1]): len(row[column]) - len(row[column].lstrip("*")) for row in rows}


def test_who_keeps_the_promise_of_a_show_is_said_rightly():
    assert not any(kept("one by one").values())
    assert not any(kept("kept warm").values())
    short = {pair: stars for pair, stars in kept("one by one, idle 10 s").items() if stars}
    assert short == {("ltx-video-2b", "L4"): 2, ("ltx-video-2b", "L40S"): 2, ("wan2.1-t2v-1.3b", "L4"): 1}
    assert kept("six bursts")["wan2.1-t2v-1.3b", "L4"] == 1


@pytest.mark.parametrize(("both", "said"), [((0.01, 0.04), "yes"), ((0.04, 0.06), "if tuned"), ((0.06, 0.1), "no")])
def test_a_promise_is_kept_broken_or_hoped_for(both, said):
    assert figures.verdict(both, 0.05) == said
