"""The wardrobe of a pipeline: which distilled weights and which LoRAs it wears for a request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gpu.pipeline.loras import Loras
from sakuga.engine import Adapter, Source


class Wardrobe:
    """Dresses one pipeline. A preset's distilled weights are loaded once, and the base is kept.

    Of several transformers the card holds the one that is worn; the others wait in the machine's memory. Coming back
    takes about a second for each 5 GB, which is nothing beside what a card without room for two would take.
    """

    def __init__(
        self,
        pipe: Any,
        loras: Loras,
        transformer: Callable[[Source], Any],
        prepare: Callable[[], None],
        *,
        offloaded: bool = False,
    ) -> None:
        self._pipe = pipe
        self._loras = loras
        self._load = transformer
        self._prepare = prepare
        self._offloaded = offloaded  # all of them lie in the machine's memory as it is
        self._transformers: dict[Source | None, Any] = {None: pipe.transformer}

    def wear(self, distilled: Source | None, adapters: tuple[Adapter, ...]) -> None:
        """Put exactly these on: a preset's transformer or LoRA, and the LoRAs of a request.

        Raises WeightsMissing, AdapterUnfit, MediaMissing; the pipeline is as fit as before.
        """
        fixed: tuple[Adapter, ...] = ()
        if is_lora(distilled):
            fixed, distilled = (Adapter(name="preset", source=distilled),), None
        if distilled in self._transformers:
            self._change(self._transformers[distilled])
        elif distilled:
            self._fetch(distilled)
        self._loras.use(adapters, fixed)

    def _fetch(self, distilled: Source) -> None:
        with self._parked():
            self._pipe.transformer = self._load(distilled)
            self._prepare()
        self._transformers[distilled] = self._pipe.transformer

    def _change(self, wanted: Any) -> None:
        if wanted is not self._pipe.transformer:
            with self._parked() as device:
                self._pipe.transformer = wanted
                self._move(wanted, device)

    @contextmanager
    def _parked(self) -> Iterator[Any]:
        """Make room on the card for another transformer, and give the device; what is worn comes back if that fails."""
        worn = self._pipe.transformer
        device = worn.device
        try:
            self._move(worn, "cpu")
            yield device
        except BaseException:
            self._pipe.transformer = worn
            self._move(worn, device)
            raise

    def _move(self, transformer: Any, device: Any) -> None:
        if not self._offloaded:
            transformer.to(device)


def is_lora(source: Source | None) -> bool:
    """Whether a preset's weights are a LoRA."""
    return bool(source and source.file and "lora" in source.file.lower())
