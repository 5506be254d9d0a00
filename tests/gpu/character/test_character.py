import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from PIL import Image

from gpu.character import __main__ as character
from gpu.character.families import DRAWN_BY
from gpu.engines import ENGINES
from gpu.engines.tiny import write_tiny_wan
from sakuga.catalog import Catalog
from tests.docs.paper import blocks
from tests.fakes import loras as made
from tests.gpu.conftest import ROOT

WAN = made.of_wan(width=1536, blocks=30)
STUDIO = "title = 'Mine'\n\n[styles.anime]\ntitle = 'Anime'\n"


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A studio's folder, with a LoRA that was downloaded into it."""
    monkeypatch.chdir(tmp_path)
    Path("studio.toml").write_text(STUDIO)
    made.write(Path("download.safetensors"), made.comfyui(WAN), **{"modelspec.trigger_phrase": "m1ka"})
    return tmp_path


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["character", *words])
        status = character.main()
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def add(run, *more: str, name: str = "mika", file: str = "download.safetensors", engine: str = "wan2.1-t2v-1.3b"):
    return run("add", name, file, "--engine", engine, *more)


def untouched(place: Path) -> bool:
    return (place / "studio.toml").read_text() == STUDIO and not list(place.glob("media/characters/*"))


def test_a_character_is_copied_written_down_and_told_of(place, run):
    status, said, _ = add(run, "--weight", "0.8", "--title", "Mika", "--trigger", "m1ka, red scarf")
    assert status == 0
    mika = Catalog.load(place / "studio.toml").characters["mika"]
    assert (mika.title, mika.prompt, mika.engines) == ("Mika", "m1ka, red scarf", ("wan2.1-t2v-1.3b",))
    assert mika.loras[0].weight == 0.8
    assert (place / "media" / mika.loras[0].file).read_bytes() == (place / "download.safetensors").read_bytes()
    assert "rank 4; layers: 240; blocks: 30; width: 1536; names as in ComfyUI" in said
    assert "It seems to be made for Wan 2.1 1.3B." in said
    assert "mika is in studio.toml now" in said


def test_what_is_not_said_is_taken_from_the_file_and_the_name(place, run):
    assert add(run, name="red-fox_2")[0] == 0
    fox = Catalog.load(place / "studio.toml").characters["red-fox_2"]
    assert (fox.title, fox.prompt, fox.loras[0].weight, fox.image) == ("Red Fox 2", "m1ka", 1.0, None)


def test_without_trigger_words_it_says_that_some_may_be_needed(place, run):
    made.write(place / "download.safetensors", made.comfyui(WAN), ss_tag_frequency={"1": {"m1ka": 9, "rain": 2}})
    _, said, _ = add(run)
    assert "the words that it learned most from are: m1ka, rain" in said
    assert "No trigger words were given" in said
    assert Catalog.load(place / "studio.toml").characters["mika"].prompt == ""


def test_a_picture_is_kept_upright_small_and_without_what_it_told_of_its_maker(place, run):
    picture = Image.new("RGB", (2000, 1000), "red")
    exif = picture.getexif()
    exif[0x0112], exif[0x010F] = 6, "Camera of Mika"  # turned by a quarter
    picture.save(place / "photo.jpg", exif=exif)
    status, said, _ = add(run, "--image", "photo.jpg")
    assert status == 0
    assert "for engines that draw from one" in said
    kept = place / "media" / Catalog.load(place / "studio.toml").characters["mika"].image
    with Image.open(kept) as drawn:
        assert (drawn.format, drawn.size, drawn.mode) == ("PNG", (512, 1024), "RGB")
        assert not drawn.getexif()
    assert b"Camera" not in kept.read_bytes()


def test_what_shows_through_a_picture_is_white(place, run):
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(place / "clear.webp", lossless=True)
    assert add(run, "--image", "clear.webp")[0] == 0
    with Image.open(place / "media/characters/mika/picture.png") as drawn:
        assert drawn.getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n broken", b"%!PS-Adobe"])
def test_a_picture_that_is_none_is_refused_and_nothing_has_changed(place, run, data):
    (place / "photo.png").write_bytes(data)
    status, _, wrong = add(run, "--image", "photo.png")
    assert (status, wrong) == (2, "photo.png: it is no PNG, JPEG or WebP that can be read.\n")
    assert untouched(place)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (("--weight", "nan"), "its weight must lie between"),
        (("--weight", "5"), "its weight must lie between"),
        (("--weight", "0"), "its weight must lie between"),
        (("--title", "x" * 41), "its title must be one line"),
        (("--trigger", "a\nb"), "its trigger must be one line"),
        (("--image", "nowhere.png"), "there is no file nowhere.png"),
        (("--engine", "wan"), "There is no engine 'wan'"),
        (("--engine", "wan2.1-t2v-14b"), "made for Wan 2.1 1.3B, not for Wan 14B"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_has_changed(place, run, more, problem):
    status, _, wrong = add(run, *more)
    assert status == 2
    assert problem in wrong
    assert untouched(place)


def test_a_name_that_is_taken_is_refused_before_anything_is_copied(place, run):
    assert add(run, name="anime")[0] == 2
    assert untouched(place)
    add(run)
    before = (place / "studio.toml").read_text()
    status, _, wrong = add(run)
    assert status == 2
    assert wrong.startswith("mika: studio.toml has a character of that name already. To replace it, first take")
    assert (place / "studio.toml").read_text() == before


def test_a_folder_that_is_there_already_is_left_alone(place, run):
    home = place / "media/characters/mika"
    home.mkdir(parents=True)
    (home / "mine.txt").write_text("kept")
    status, _, wrong = add(run)
    assert status == 2
    assert "is there already. Remove it, or choose another name" in wrong
    assert (home / "mine.txt").read_text() == "kept"
    assert (place / "studio.toml").read_text() == STUDIO


def test_when_the_studio_file_can_not_be_written_the_copies_go_again(place, run):
    (place / "studio.toml").write_text("characters = { rin = { title = 'Rin' } }\n")
    status, _, wrong = add(run)
    assert status == 2
    assert "Write there by hand:" in wrong
    assert not list(place.glob("media/characters/*"))


def test_a_broken_studio_file_is_named(place, run):
    (place / "studio.toml").write_text("title = ")
    status, _, wrong = add(run)
    assert status == 2
    assert wrong.startswith("studio.toml: ")


def test_checking_changes_nothing(place, run):
    status, said, _ = run(
        "check", "download.safetensors", "--engine", "wan2.1-t2v-1.3b", "--engine", "wan2.1-vace-1.3b"
    )
    assert status == 0
    assert "Names and sizes are those that wan2.1-vace-1.3b needs." in said
    assert "Its trigger words are: m1ka" in said
    assert untouched(place)


def test_with_weights_checking_tries_the_lora(place, run):
    write_tiny_wan(place / "var" / "weights")
    made.write(place / "download.safetensors", made.comfyui(made.of_wan(width=48, blocks=3)))
    status, _, wrong = run("check", "download.safetensors", "--engine", "tiny")
    assert status == 2
    assert "8 of its 24 layers are not in this model" in wrong
    made.write(place / "download.safetensors", made.comfyui(made.of_wan(width=48, blocks=2)))
    status, said, _ = run("check", "download.safetensors", "--engine", "tiny")
    assert status == 0
    assert "tiny can draw with it: it was loaded onto the model" in said


def test_a_file_that_is_no_lora_and_an_engine_that_does_not_exist_end_with_2(place, run):
    torch.save({}, place / "old.pt")
    status, _, wrong = run("check", "old.pt", "--engine", "wan2.1-t2v-1.3b")
    assert status == 2
    assert wrong.startswith("old.pt: it is a PyTorch pickle")
    status, _, wrong = run("check", "download.safetensors", "--engine", "wan")
    assert status == 2
    assert wrong.startswith("There is no engine 'wan'")
    status, said, wrong = run("check", "gone.safetensors", "--engine", "wan2.1-t2v-1.3b")
    assert (status, said, wrong) == (2, "", "gone.safetensors: there is no file gone.safetensors.\n")


def test_a_picture_that_is_missing_is_told_of_before_the_lora_is_looked_at(place, run):
    status, said, wrong = add(run, "--image", "pictures/nowhere.png")
    assert (status, said, wrong) == (2, "", "nowhere.png: there is no file pictures/nowhere.png.\n")


def test_the_list_says_who_is_there_and_what_is_missing(place, run):
    add(run)
    more = (
        "\n[characters.rin]\ntitle = 'Rin'\nimage = 'rin.png'\n"
        "\n[characters.hub]\ntitle = 'Hub'\nloras = [{ file = 'a.safetensors', repository = 'maker/hub' }]\n"
    )
    (place / "studio.toml").write_text((place / "studio.toml").read_text() + more)
    status, said, _ = run("list")
    assert status == 0
    assert said.splitlines() == [
        "mika: Mika, for wan2.1-t2v-1.3b; its files are there",
        "rin: Rin, for every engine; missing: rin.png",
        f"hub: Hub, for every engine; not fetched to this machine: maker/hub/a.safetensors ({character.TO_FETCH})",
    ]
    home = place / "var/weights/models--maker--hub"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("0" * 40)
    snapshot = home / "snapshots" / ("0" * 40)
    made.write(snapshot / "a.safetensors", made.comfyui(WAN))
    assert "hub: Hub, for every engine; its files are there" in run("list")[1].splitlines()


def test_a_machine_without_torch_can_add_characters(place):
    code = (
        "import sys; sys.modules.update(torch=None, diffusers=None);"
        "from gpu.character.__main__ import main; sys.exit(main())"
    )
    words = ["add", "mika", "download.safetensors", "--engine", "wan2.1-t2v-1.3b"]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}", *words],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "It was not tried" in done.stdout
    assert "mika" in Catalog.load(place / "studio.toml").characters


def test_the_page_on_characters_shows_what_the_studio_and_this_command_take():
    page = ROOT / "docs" / "how-to" / "characters.md"
    files = [tomllib.loads(block.text) for block in blocks(page) if block.language == "toml"]
    assert all(Catalog.model_validate(file).characters["mika"].loras for file in files)
    shell = " ".join(block.text for block in blocks(page) if block.language == "sh").replace("\\\n", " ")
    for line in re.findall(r"-m sakuga character (.+?)(?=\.venv|$)", shell):
        assert character.parser().parse_args(shlex.split(line)).file.name == "mika.safetensors"
    named = set(re.findall(r"`([\w.]+-[\w.-]+)`", page.read_text("utf-8")))
    assert named & set(ENGINES) >= set(DRAWN_BY)
