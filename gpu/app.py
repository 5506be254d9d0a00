"""The Modal app: a class for each engine on the GPUs that it prefers, and what runs beside them. Read from the top."""

import logging
import time
from itertools import islice
from pathlib import Path
from typing import Any

import modal

from gpu.cloud import freight, heroes, keeping
from gpu.cloud.container import (
    CORES,
    IDLE_S,
    PLACE,
    SPARE_GIB,
    Container,
    cache,
    kept,
    media,
    memory_gib,
    progress,
    weights,
)
from gpu.cloud.relay import Relay
from gpu.engines import ENGINES, find_spec
from gpu.serve import failure
from sakuga.engine import MODAL_APP, MODAL_LONGEST_S, Adapter, EngineSpec, Source
from sakuga.errors import SakugaError, Unexpected

log = logging.getLogger(__name__)

MINUTES = 60
HOURS = 60 * MINUTES

LONGEST_START_S = 20 * MINUTES  # the first start of a version reads up to 80 GB and takes the snapshot
LONGEST_FETCH_S = 3 * HOURS
LONGEST_NIGHT_S = 4 * HOURS
LOOK_EVERY_MINUTES = 10  # about ten cents a month; an H100 that nobody wants is 4 dollars an hour
MOST_CONTAINERS = 4  # of one engine: a mistake must not rent the ten GPUs that an account may have

# Weights and media are read-only to engines: no render can spoil them.
MOUNTED: dict[str, modal.Volume] = {
    str(PLACE.weights): weights.with_mount_options(read_only=True),
    str(PLACE.media): media.with_mount_options(read_only=True),
    str(PLACE.cache): cache,
}

# --- the image: our lock and nothing else, then the code, which changes most often -----------------------------------

UV = "0.13.8"  # as in requirements/uv.txt
LOCK = Path(__file__).parents[1] / "requirements" / "gpu.txt"


def elsewhere(path: Path) -> bool:
    """Whether a file of the package `sakuga` is of no use on a GPU, which sees its engine and errors only."""
    return path.suffix != ".py" or path.parts[0] not in {"__init__.py", "engine.py", "errors"}


def with_code(image: modal.Image) -> modal.Image:
    """Return an image with our own packages, which are put beside it when a container starts."""
    return image.add_local_python_source("gpu").add_local_python_source("sakuga", ignore=elsewhere)


locked = modal.Image.debian_slim(python_version="3.12").uv_pip_install(
    requirements=[str(LOCK)], extra_options="--require-hashes", uv_version=UV
)
drawing = with_code(
    locked.env(
        {
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": f"{PLACE.cache}/hub",
            "TORCHINDUCTOR_CACHE_DIR": f"{PLACE.cache}/inductor",
            "TRITON_CACHE_DIR": f"{PLACE.cache}/triton",
        }
    )
)
fetching = with_code(locked)

app = modal.App(MODAL_APP, tags={"product": "sakuga"}, include_source=False)


def rent(spec: EngineSpec) -> modal.Cls:
    """Return the class of an engine, registered with the app. It has to stand in this module under its own name."""
    made = type(spec.class_name, (Container,), {"__module__": __name__, "__doc__": spec.summary, "engine": spec.name})
    register = app.cls(
        image=drawing,
        gpu=list(spec.gpus),
        cpu=CORES,
        memory=memory_gib(spec) * 1024,
        volumes=MOUNTED,
        timeout=MODAL_LONGEST_S,
        startup_timeout=LONGEST_START_S,
        scaledown_window=IDLE_S,
        max_containers=MOST_CONTAINERS,
        retries=0,  # the worker has its own attempts, which it counts; preempted inputs run again without being retried
        enable_memory_snapshot=True,
        experimental_options={"enable_gpu_snapshot": True},
    )
    return register(made)


RENTED = [spec for spec in map(find_spec, ENGINES) if spec.source and spec.gpus]
globals().update({spec.class_name: rent(spec) for spec in RENTED})

# --- what runs without a GPU -----------------------------------------------------------------------------------------


def fetch(
    name: str,
    partition: str,
    *,
    accepted: bool = False,
    check: bool = False,
    source: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Bring an engine's weights into the volume, told of in the queue; or only look what is missing.

    With a `source` it is a LoRA that the studio file calls by that name. Returns a Survey, or nothing when all has
    come, or `error`.
    """
    weights.reload()
    try:
        cargo = Adapter(name=name, source=Source.model_validate(source)) if source else find_spec(name)
        if check:
            return freight.survey(cargo, PLACE.weights).model_dump()
        with Relay(progress, partition) as relay:

            def tell(arrival: freight.Arrival) -> None:
                relay.tell(arrival=arrival.model_dump())

            freight.bring(cargo, PLACE.weights, tell, accepted=accepted)
        (PLACE.weights / freight.FETCHED).mkdir(exist_ok=True)
        (PLACE.weights / freight.FETCHED / freight.mark(cargo)).touch()
    except SakugaError as error:
        return {"error": failure(error)}
    except Exception as error:  # noqa: BLE001 - the edge: what is raised here would be raised again on the PC
        unexpected = Unexpected(reference=f"{name} {type(error).__name__}")
        unexpected.__cause__ = error
        return {"error": failure(unexpected)}
    finally:
        weights.commit()  # what has arrived so far, too: the next call goes on from there
    return {}


def nightly() -> int:
    """Draw heroes that have no clip yet, one after the other, and stop when a viewer waits. Return how many.

    One that can't be drawn is passed over until the next night.
    """
    media.reload()
    plan = heroes.Plan.model_validate_json((PLACE.media / heroes.FOLDER / heroes.PLAN).read_text("utf-8"))
    spec, shelf, drawn = find_spec(plan.engine), PLACE.media / heroes.FOLDER, 0
    found: modal.Cls = globals()[spec.class_name]
    engine = (found.with_options(gpu=plan.gpu) if plan.gpu else found)()
    for request in islice(heroes.missing(shelf, plan, spec, attempt=int(time.time())), heroes.A_NIGHT):
        stats = engine.render.get_current_stats()
        if stats.backlog or stats.num_running_inputs:
            break
        answer = engine.render.remote(request.model_dump(mode="json"))
        if "video" in answer:
            heroes.keep(shelf, request, answer)
            media.commit()
            drawn += 1
        else:
            log.warning("hero.missing job=%s code=%s", request.job_id, answer.get("error", {}).get("code"))
    log.info("night.ended engine=%s clips=%d", plan.engine, drawn)
    return drawn


def let_go() -> int:
    """Let go of GPUs that were kept warm by a studio that has gone since. Return of how many pools."""
    return keeping.let_go(kept, time.time())


def complete(*, cron: str | None = None, secret: str | None = None) -> modal.App:
    """Return the app as it is deployed: with `fetch`, which gets the secret that is named, and `let_go`.

    `nightly` is in it if that is wanted.
    """
    app.function(
        image=fetching,
        volumes={str(PLACE.weights): weights},
        secrets=[modal.Secret.from_name(secret)] if secret else [],
        timeout=LONGEST_FETCH_S,
        retries=0,
        cpu=CORES,
        memory=SPARE_GIB * 1024,
        max_containers=2,
    )(fetch)
    app.function(
        image=fetching,
        schedule=modal.Period(minutes=LOOK_EVERY_MINUTES),
        timeout=LOOK_EVERY_MINUTES * MINUTES,
        retries=0,
        max_containers=1,
        scaledown_window=2,  # of seconds, the least: to wait would cost more than to look
    )(let_go)
    if cron:
        app.function(
            image=fetching,
            volumes={str(PLACE.media): media},
            schedule=modal.Cron(cron),
            timeout=LONGEST_NIGHT_S,
            retries=0,
            max_containers=1,
        )(nightly)
    return app
