import tomllib
from pathlib import Path

import pytest

from gpu.character import studio_file
from sakuga.catalog import Catalog
from sakuga.errors import CharacterRefused, StudioFileInvalid

MIKA = {
    "title": 'Mika "the cat" \\ 猫',
    "prompt": "m1ka, red scarf",
    "loras": [{"file": "characters/mika/lora.safetensors", "weight": 0.9}],
    "image": "characters/mika/picture.png",
    "engines": ["wan2.1-t2v-1.3b"],
}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "studio.toml"


FILES = ["", "title = 'x'  # a remark", "title = 'x'\n\n[styles.neon]\ntitle = 'Neon'\n", "[lanes]\r\nvip_s = 1\r\n"]


@pytest.mark.parametrize("text", FILES)
def test_a_character_is_written_at_the_end_and_nothing_else_changes(path, text):
    path.write_bytes(text.encode())
    studio_file.append(path, "mika", MIKA)
    written = path.read_bytes().decode()
    assert written.startswith(text)
    assert tomllib.loads(written) == tomllib.loads(text) | {"characters": {"mika": MIKA}}
    assert ("\r\n" in text) == ("\r\n" in written.removeprefix(text))


def test_the_studio_takes_what_is_written(path):
    studio_file.append(path, "mika", MIKA)
    studio_file.append(path, "rin", {"title": "Rin"})
    characters = Catalog.load(path).characters
    assert characters["mika"].title == MIKA["title"]
    assert characters["mika"].loras[0].weight == 0.9
    assert characters["rin"].title == "Rin"


def test_a_link_stays_a_link_and_rights_stay_as_they_were(path, tmp_path):
    real = tmp_path / "elsewhere.toml"
    real.write_text("title = 'x'\n")
    real.chmod(0o600)
    path.symlink_to(real)
    studio_file.append(path, "mika", MIKA)
    assert path.is_symlink()
    assert "mika" in real.read_text("utf-8")
    assert real.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["elsewhere.toml", "studio.toml"]


@pytest.mark.parametrize("name", ["", "Mika", "mi ka", "mi.ka", 'mi"ka', "mi\nka", "n" * 41, "é"])
def test_a_name_that_can_not_be_typed_is_refused(path, name):
    with pytest.raises(CharacterRefused, match="can't be typed in chat"):
        studio_file.append(path, name, MIKA)
    assert not path.exists()


@pytest.mark.parametrize(("table", "kind"), [("characters", "character"), ("styles", "style")])
def test_a_name_that_is_taken_is_refused(path, table, kind):
    path.write_text(f"[{table}.mika]\ntitle = 'Mika'\n")
    with pytest.raises(CharacterRefused, match=f"has a {kind} of that name already"):
        studio_file.append(path, "mika", MIKA)


def test_a_file_that_no_table_can_be_added_to_stays_as_it_is_and_the_text_is_told(path):
    text = "characters = { rin = { title = 'Rin' } }\n"
    path.write_text(text)
    with pytest.raises(CharacterRefused, match=r"(?s)Write there by hand:.*\[characters\.mika\]"):
        studio_file.append(path, "mika", MIKA)
    assert path.read_text() == text


@pytest.mark.parametrize("data", [b"title = ", b"\xff\xfe", b"characters = 3", b"styles.neon = 3", b"[[styles]]"])
def test_a_file_that_is_none_is_named(path, data):
    path.write_bytes(data)
    with pytest.raises(StudioFileInvalid, match=r"studio\.toml"):
        studio_file.append(path, "mika", MIKA)
    assert path.read_bytes() == data


def test_a_file_that_can_not_be_written_is_named(tmp_path):
    with pytest.raises(StudioFileInvalid, match="can't be written"):
        studio_file.append(tmp_path / "nowhere" / "studio.toml", "mika", MIKA)
