"""A pipeline wears one transformer at a time, and gets back what it wore when a change fails."""

from types import SimpleNamespace
from typing import Any

import pytest

from gpu.pipeline.wardrobe import Wardrobe
from sakuga.engine import Adapter, Source
from sakuga.errors import WeightsMissing

FAST = Source(repository="studio/fast")
FASTER = Source(repository="studio/faster")
LORA = Source(repository="studio/loras", file="a_lora_rank64.safetensors")


class Transformer:
    """Lies on a device."""

    def __init__(self, name: str, device: str = "cpu") -> None:
        self.name, self.device = name, device

    def to(self, device: str) -> None:
        self.device = device


class Loras:
    """Remembers what was asked of it."""

    def use(self, adapters: tuple[Adapter, ...], fixed: tuple[Adapter, ...]) -> None:
        self.worn = [adapter.source or adapter.name for adapter in (*fixed, *adapters)]


class Shop:
    """A pipeline on a card, what it can wear, and who puts it there."""

    def __init__(self, *, offloaded: bool = False) -> None:
        self.base = Transformer("base", "card")
        self.pipe = SimpleNamespace(transformer=self.base)
        self.loras = Loras()
        self.bought: list[Transformer] = []
        self.broken: Exception | None = None
        more: Any = {"offloaded": offloaded}
        self.wardrobe = Wardrobe(self.pipe, self.loras, self.buy, self.prepare, **more)  # type: ignore[arg-type]

    def buy(self, source: Source) -> Transformer:
        if source == FASTER:
            raise WeightsMissing(engine="wan")
        self.bought.append(Transformer(source.repository))
        return self.bought[-1]

    def prepare(self) -> None:
        if self.broken:
            raise self.broken
        self.pipe.transformer.to("card")

    def wear(self, source: Source | None, *adapters: Adapter) -> str:
        self.wardrobe.wear(source, adapters)
        return self.pipe.transformer.name

    def on_the_card(self) -> list[str]:
        return [each.name for each in (self.base, *self.bought) if each.device == "card"]


def test_the_card_holds_what_is_worn_and_nothing_else() -> None:
    shop = Shop()
    assert shop.wear(FAST) == "studio/fast"
    assert shop.on_the_card() == ["studio/fast"]
    assert shop.wear(None) == "base"
    assert shop.on_the_card() == ["base"]
    assert shop.wear(FAST) == "studio/fast"
    assert shop.on_the_card() == ["studio/fast"]
    assert len(shop.bought) == 1


def test_what_is_offloaded_stays_where_it_is() -> None:
    shop = Shop(offloaded=True)
    shop.wear(FAST)
    shop.wear(None)
    assert shop.on_the_card() == ["base", "studio/fast"]


def test_a_presets_lora_goes_on_the_base_before_those_of_the_request() -> None:
    shop = Shop()
    shop.wear(FAST)
    assert shop.wear(LORA, Adapter(name="hana", file="hana.safetensors")) == "base"
    assert shop.loras.worn == [LORA, "hana"]
    shop.wear(FAST)
    assert shop.loras.worn == []


@pytest.mark.parametrize("broken", [None, MemoryError()])
def test_what_cannot_be_put_on_leaves_what_was_worn(broken: Exception | None) -> None:
    shop = Shop()
    shop.broken = broken
    with pytest.raises((WeightsMissing, MemoryError)):
        shop.wear(FAST if broken else FASTER)
    assert shop.pipe.transformer is shop.base
    assert shop.on_the_card() == ["base"]
    shop.broken = None
    assert shop.wear(FAST) == "studio/fast"
