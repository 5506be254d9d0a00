"""A Modal whose GPUs do as a test orders, and renderers in front of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import modal
import pytest

from sakuga.engine import Progress, RenderRequest
from sakuga.settings import Settings
from tests.fakes.modal import FakeModal
from tests.fakes.modal_gpu import obey
from tests.fakes.renderer import SPEC
from worker.renderers.modal import ModalRenderer
from worker.renderers.patience import Patience

QUICK = Patience(answer=2, poll=0.1, pause=0.01, outage=0.5, last_word=0.1, stop=1)
REQUEST = RenderRequest(
    job_id="job_1",
    number=1,
    attempt=1,
    engine=SPEC.name,
    prompt="robot cat",
    style="anime",
    seed=7,
    width=64,
    height=48,
    num_frames=9,
    fps=8,
)


@dataclass
class Rented:
    """A workspace with one app, and the workers that rent there."""

    fake: FakeModal
    client: modal.Client
    folder: Path
    renderers: list[ModalRenderer] = field(default_factory=list)

    def renderer(
        self, patience: Patience = QUICK, client: modal.Client | None = None, **settings: object
    ) -> ModalRenderer:
        """Return the renderer of one more worker."""
        found = Settings.model_validate({"var_dir": self.folder, **settings})
        renderer = ModalRenderer(found, client or self.client, patience)
        renderer._specs = {SPEC.name: SPEC}
        self.renderers.append(renderer)
        return renderer

    async def heard(self, renderer: ModalRenderer, handle: str, *fractions: float) -> list[Progress]:
        """Return a watcher's reports up to that with the last of these fractions, each ordered from the GPU."""
        call = self.fake.calls[handle.partition("/")[0]]
        for fraction in fractions:
            call.orders.put(fraction)
        reports = []
        async for report in renderer.watch(handle):
            reports.append(report)
            if report.fraction >= fractions[-1]:
                break
        return reports


@pytest.fixture
async def rented(tmp_path: Path) -> AsyncIterator[Rented]:
    async with FakeModal({"Rehearsal.render": obey}) as fake, fake.client() as client:
        rented = Rented(fake, client, tmp_path)
        yield rented
        for renderer in rented.renderers:
            await renderer.close()
