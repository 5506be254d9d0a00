"""The wardrobe of a pipeline: which distilled weights and which LoRAs it wears for a request."""

from collections.abc import Callable
from typing import Any

from gpu.loras import Loras
from sakuga.engine import Adapter, Source


class Wardrobe:
    """Dresses one pipeline. A preset's distilled weights are loaded once, and the base stays where it is."""

    def __init__(
        self, pipe: Any, loras: Loras, transformer: Callable[[Source], Any], prepare: Callable[[], None]
    ) -> None:
        self._pipe = pipe
        self._loras = loras
        self._load = transformer
        self._prepare = prepare
        self._transformers: dict[Source | None, Any] = {None: pipe.transformer}

    def wear(self, distilled: Source | None, adapters: tuple[Adapter, ...]) -> None:
        """Put exactly these on: a preset's transformer or LoRA, and the LoRAs of a request.

        Raises WeightsMissing, AdapterUnfit, MediaMissing; the pipeline is as fit as before.
        """
        fixed: tuple[Adapter, ...] = ()
        if distilled and distilled.file and "lora" in distilled.file.lower():
            fixed, distilled = (Adapter(name="preset", source=distilled),), None
        self._pipe.transformer = self._transformers.get(distilled) or self._fetched(distilled)
        self._loras.use(adapters, fixed)

    def _fetched(self, distilled: Source | None) -> Any:
        assert distilled  # noqa: S101 - the engine's own is there from the beginning
        own = self._pipe.transformer
        self._pipe.transformer = self._load(distilled)
        try:
            self._prepare()
        except BaseException:
            self._pipe.transformer = own
            raise
        self._transformers[distilled] = self._pipe.transformer
        return self._pipe.transformer
