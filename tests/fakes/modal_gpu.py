"""What runs on the GPUs of a FakeModal: bodies that keep to what the app and its renderer have agreed upon."""

import io
import itertools
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from sakuga.engine import MODAL_CLAIMS, MODAL_PROGRESS, Progress, RenderRequest, RenderStage
from sakuga.errors import SakugaError
from tests.fakes.modal_calls import Container
from tests.fakes.renderer import PuppetRenderer

STAGES: tuple[RenderStage, ...] = ("loading", "text", *["denoise"] * 6, "decode", "encode")  # type: ignore[assignment]


def _jpeg() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (16, 9), (226, 85, 43)).save(target, format="JPEG")
    return target.getvalue()


JPEG = _jpeg()


def reported(run: str, sequence: int, fraction: float, stage: RenderStage = "denoise") -> dict[str, Any]:
    """Return a queue item as the app puts it."""
    progress = Progress(sequence=sequence, stage=stage, fraction=fraction, preview=JPEG)
    return {"run": run, "progress": progress.model_dump(mode="json")}


def film(request: RenderRequest) -> dict[str, Any]:
    """Return the answer of a render that went well, with a real video."""
    with tempfile.TemporaryDirectory() as folder:
        made = PuppetRenderer(Path(folder))._video(request)
        told = made.model_dump(mode="json") | {"video_path": "clip.mp4", "poster_path": "poster.jpg"}
        return {"result": told, "video": Path(made.video_path).read_bytes(), "poster": JPEG}


def failed(error: SakugaError) -> dict[str, Any]:
    """Return the answer of a render that did not go well."""
    return {"error": {"code": error.code, "data": error.data}}


def draw(container: Container, job: dict[str, Any]) -> dict[str, Any]:
    """Render by itself, as quickly as it can."""
    request = RenderRequest.model_validate(job)
    owner = container.claim(MODAL_CLAIMS, request.attempt_key)
    if owner != container.call_id:
        return {"claimed_by": owner}
    for number, stage in enumerate(STAGES, start=1):
        container.check()
        item = reported(container.run, number, number / len(STAGES), stage)
        container.put(MODAL_PROGRESS, request.attempt_key, item)
    made = film(request)
    container.check()
    container.put(MODAL_PROGRESS, request.attempt_key, {"run": container.run, "ended": True})
    return made


def obey(container: Container, job: dict[str, Any]) -> dict[str, Any]:
    """Render as the test orders.

    A number is a fraction to report, "end" makes the film, "hang" hears no cancel any more, a dict is the answer, and
    an exception is raised.
    """
    request = RenderRequest.model_validate(job)
    owner = container.claim(MODAL_CLAIMS, request.attempt_key)
    if owner != container.call_id:
        return {"claimed_by": owner}
    for sequence in itertools.count(1):
        order = container.order()
        if isinstance(order, float):
            item = reported(container.run, sequence, order)
            container.put(MODAL_PROGRESS, request.attempt_key, item)
        elif order == "end":
            container.put(MODAL_PROGRESS, request.attempt_key, {"run": container.run, "ended": True})
            return film(request)
        elif order == "hang":
            container.hang()
        elif isinstance(order, Exception):
            raise order
        else:
            return dict(order)
    raise AssertionError
