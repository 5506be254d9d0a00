"""One engine in a rented container: loaded once, for a snapshot too, and drawing one clip after the other."""

import json
import logging
import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import modal
from modal.config import config
from modal.experimental import stop_fetching_inputs

from gpu import price
from gpu.cloud.meter import Meter, asked_for
from gpu.cloud.relay import Relay
from gpu.engines import Place, find_spec
from gpu.render import leaves_doubts, needs_fresh_process, render, translated
from gpu.serve import LOADED, Resident, device, failure, read
from gpu.telling import Telling
from sakuga.engine import MODAL_CLAIMS, MODAL_KEPT, MODAL_PROGRESS, EngineSpec, RenderRequest, RenderResult
from sakuga.errors import MediaMissing, RenderFailed, RenderLost, SakugaError, Unexpected, WeightsMissing

log = logging.getLogger(__name__)
if not modal.is_local():  # what is logged here is what `gpu logs` prints
    logging.basicConfig(format="%(message)s")
    logging.getLogger("gpu").setLevel(logging.INFO)

PLACE = Place(weights=Path("/weights"), media=Path("/media"), cache=Path("/cache"))

WEIGHTS, MEDIA = "sakuga-weights", "sakuga-media"  # volumes; the studio's commands look into them too

weights = modal.Volume.from_name(WEIGHTS, create_if_missing=True)
media = modal.Volume.from_name(MEDIA, create_if_missing=True)
cache = modal.Volume.from_name("sakuga-cache", create_if_missing=True)
progress = modal.Queue.from_name(MODAL_PROGRESS, create_if_missing=True)
claims = modal.Dict.from_name(MODAL_CLAIMS, create_if_missing=True)
kept = modal.Dict.from_name(MODAL_KEPT, create_if_missing=True)
ledger = modal.Dict.from_name("sakuga-ledger", create_if_missing=True)

IDLE_S = 60  # as SAKUGA_MODAL_IDLE; on an H100 that is 7 cents
CORES, SPARE_GIB, memory_gib = price.CORES, price.SPARE_GIB, price.memory_gib

# In a restored container these are still the ones of where its snapshot was taken.
BORN, BORN_AS = time.time(), config.get("task_id")


class Container:
    """What the class of each engine does: load once, then draw what it is told, one clip after the other."""

    engine: str
    resident: Resident
    meter: Meter
    rates: price.Rates | None = None
    interrupted = False
    """Whether the last clip was broken off at some line of somebody's code, which may leave an engine in any state."""

    @modal.enter(snap=True)  # type: ignore[untyped-decorator]
    def load(self) -> None:
        """Bring the model onto the card and draw one clip that nobody sees, for the snapshot.

        Runs again from cold where a snapshot could not be restored. What goes wrong is told by the first clip, which
        tries once more: a hook that raises would make Modal start containers, and charge for them, again and again.
        """
        self.resident = Resident(PLACE)
        try:
            with translated(self.engine):
                engine = self.resident.engine(self.engine)
                if "text-to-video" in engine.spec.modes:
                    for _ in engine.render(warm_up(engine.spec), lambda *_: None):
                        pass
        except SakugaError as error:
            failure(error)
            with suppress(RenderLost):  # the first clip says that as well, and this container draws no more then
                self.resident.forget()
            log.warning("engine.cold engine=%s code=%s", self.engine, error.code)

    @modal.enter()  # type: ignore[untyped-decorator]
    def wake(self) -> None:
        """Be a container of its own after a snapshot: other dice, and a meter that starts now."""
        random.seed()
        if torch := sys.modules.get("torch"):
            torch.seed()
        restored = config.get("task_id") != BORN_AS  # how long that took can't be seen from within
        boot_s = 0.0 if restored else time.time() - BORN
        self.meter = Meter(ledger, self.engine, boot_s=boot_s, idle_s=IDLE_S)
        log.info("engine.ready engine=%s boot_s=%.1f restored=%s", self.engine, boot_s, restored)

    @modal.exit()  # type: ignore[untyped-decorator]
    def leave(self) -> None:
        """Write down how long this container was alive."""
        self.meter.close()

    @modal.method()  # type: ignore[untyped-decorator]
    def render(self, job: dict[str, Any]) -> dict[str, Any]:
        """Draw a RenderRequest and return `result`, `video` and `poster`; or `error`; or `claimed_by` another call.

        Both a clip and an error have a `cost`. Cancelling raises InputCancellation here, between two lines of Python;
        the engine stays fit to draw again.
        """
        try:
            request = read(json.dumps(job))
        except SakugaError as error:
            return {"error": failure(error)}
        if holder := held_by_another(request.attempt_key):
            return {"claimed_by": holder}
        return self._answer(request)

    def _answer(self, request: RenderRequest) -> dict[str, Any]:
        began, how, answer = time.monotonic(), "broken off", dict[str, Any]()
        try:
            with TemporaryDirectory() as folder:
                with Relay(progress, request.attempt_key) as relay:
                    result = self._drawn(request, Path(folder), Telling(relay.send))
                answer, how = packed(result), "drawn"
        except SakugaError as error:
            answer, how = self._refused(error)
        except Exception as error:  # noqa: BLE001 - the edge: what is raised here would be raised again on the PC
            unexpected = Unexpected(reference=f"{request.attempt_key} {type(error).__name__}")
            unexpected.__cause__ = error
            answer, how = self._refused(unexpected)
        finally:
            self.interrupted = not answer
            seconds = time.monotonic() - began
            told = answer.get("result", answer)
            told["cost"] = cost = self._cost((told.get("making") or {}).get("device") or device(), seconds)
            self.meter.drew(seconds)
            usd = cost["usd"] if cost else 0.0
            log.info("render.ended job=%s how=%s seconds=%.1f usd=%.4f", request.attempt_key, how, seconds, usd)
        return answer

    def _refused(self, error: SakugaError) -> tuple[dict[str, Any], str]:
        """Return the answer and the code of a render that failed, and see to it that the next one finds things well."""
        found = self.resident.doubt(error)
        if needs_fresh_process(found):
            retire()
        return {"error": failure(found)}, found.code

    def _drawn(self, request: RenderRequest, folder: Path, telling: Telling) -> RenderResult:
        try:
            return self._attempt(request, folder, telling)
        except (WeightsMissing, MediaMissing):
            look_again()  # they may have come after this container
            return self._attempt(request, folder, telling)
        except RenderFailed as error:
            if not (self.interrupted and leaves_doubts(error)):
                raise
            failure(error)  # the clip before this one was broken off where that leaves an engine unfit
            log.warning("engine.unfit engine=%s", self.engine)
            self.resident.forget()
            return self._attempt(request, folder, telling)

    def _attempt(self, request: RenderRequest, folder: Path, telling: Telling) -> RenderResult:
        if not self.resident.has(request.engine):
            telling.report("loading", 0, 1, 0.0)
        engine = self.resident.engine(request.engine)
        telling.report("loading", 1, 1, LOADED)
        return render(engine, request, folder, telling)

    def _cost(self, drawn_on: str, seconds: float) -> dict[str, Any] | None:
        spec = find_spec(self.engine)
        self.rates = self.rates or current_rates()
        cost = price.cost(
            gpu=asked_for(drawn_on, spec.gpus),
            seconds=seconds,
            cores=CORES,
            memory_gib=memory_gib(spec),
            overhead_s=self.meter.overhead_s,
            rates=self.rates,
        )
        return cost.model_dump(mode="json") if cost else None


def packed(result: RenderResult) -> dict[str, Any]:
    """Return what was made as data: files as bytes, and in the result their bare names."""
    video, poster = Path(result.video_path), Path(result.poster_path)
    told = result.model_copy(update={"video_path": video.name, "poster_path": poster.name})
    return {"result": told.model_dump(mode="json"), "video": video.read_bytes(), "poster": poster.read_bytes()}


def warm_up(spec: EngineSpec) -> RenderRequest:
    """Return the clip that is drawn before anybody waits: of the usual size and length, for those kernels are kept."""
    recipe = spec.presets.get("live")
    width, height = (recipe and recipe.size) or spec.sizes[0]
    return RenderRequest(
        job_id="warm-up",
        number=0,
        attempt=1,
        engine=spec.name,
        prompt="a lighthouse at dusk",
        style="",
        seed=1,
        width=width,
        height=height,
        num_frames=spec.num_frames(spec.default_s),
        fps=spec.fps,
    )


def held_by_another(key: str) -> str | None:
    """Return the function call that draws this attempt, unless it is this one, as in a re-run after preemption."""
    mine = modal.current_function_call_id() or "here"
    try:
        holder = mine if claims.put(key, mine, skip_if_exists=True) else str(claims.get(key, mine))
    except Exception as error:  # noqa: BLE001 - to draw twice is better than not to draw
        log.warning("claim.failed reason=%s", type(error).__name__)
        return None
    return holder if holder != mine else None


def look_again() -> None:
    """See what has been put into the volumes since this container started."""
    for volume in (weights, media):
        try:
            volume.reload()
        except Exception as error:  # noqa: BLE001 - as when a file in it is open; what is missing is said after this
            log.warning("volume.stale reason=%s", error)


def retire() -> None:
    """Draw nothing more here: a fresh container has its memory in one piece, and a card that answers."""
    if not modal.is_local():
        with suppress(Exception):  # the next clip fails as well then, and this is tried again
            stop_fetching_inputs()


def current_rates() -> price.Rates:
    """Return what this workspace pays at present, by the table where Modal does not tell."""
    try:
        return price.rates_from(modal.Workspace.from_context().billing.rates())
    except Exception as error:  # noqa: BLE001 - no clip may be lost over its price
        log.warning("rates.unknown reason=%s", type(error).__name__)
        return price.TABLE
