import pytest

from worker.renderers import card
from worker.renderers.card import find_card


@pytest.mark.parametrize("look", [("false",), ("true",), ("/nonexistent/nvidia-smi",), ("sleep", "60")])
async def test_what_says_no_name_is_no_card(monkeypatch: pytest.MonkeyPatch, look: tuple[str, ...]) -> None:
    monkeypatch.setattr(card, "LOOK", look)
    monkeypatch.setattr(card, "LOOK_S", 0.5)
    assert await find_card() is None


async def test_the_first_card_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "LOOK", ("printf", "NVIDIA L4\nNVIDIA T4\n"))
    assert await find_card() == "NVIDIA L4"
