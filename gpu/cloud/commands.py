"""What the commands of `python -m sakuga gpu` do: the studio's side of Modal, from the deployment to the bill."""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping

import modal

from gpu import app
from gpu.cloud import freight, heroes, keeping, luggage
from gpu.cloud.border import border, knock
from gpu.cloud.catalog import Catalog
from gpu.cloud.container import CORES, IDLE_S, MEDIA, WEIGHTS, memory_gib
from gpu.cloud.invoice import invoice
from gpu.cloud.workspace import RENTED, Workspace, known, rented
from gpu.engines import ENGINES, find_spec
from gpu.price import HOUR, cost
from sakuga.engine import MODAL_APP, EngineSpec, Kept
from sakuga.errors import CloudFailed, RendererNotDeployed

LONGEST_DEPLOY_S = 30 * app.MINUTES  # the first one builds the image
LONGEST_TRIP_S = 60 * app.MINUTES
LONGEST_WARM_S = 60.0
LATE = (
    "If a clip was asked for before its weights had come: .venv/bin/python -m sakuga gpu deploy, once more. "
    "Else each GPU that starts has to read the model, which one that starts from a picture of its memory need not."
)
TO_ADD = "your workspace has no secret {name!r}. Make it: .venv/bin/modal secret create {name} HF_TOKEN=…"


def run(asked: argparse.Namespace) -> None:
    """Run the command that was asked for. Raises SakugaError."""
    if asked.command == "weights" and asked.here:
        weights_here(asked)
    else:
        asyncio.run(_run(asked))


async def _run(asked: argparse.Namespace) -> None:
    rented([name for name in (*getattr(asked, "engines", ()), getattr(asked, "engine", None)) if name])
    name = asked.app or MODAL_APP
    client = await knock(name)
    ours = Workspace(client, name, asked.media, asked.gpu, int(asked.idle or IDLE_S), tuple(asked.offer))
    await COMMANDS[asked.command](ours, asked)


async def deploy(ours: Workspace, asked: argparse.Namespace) -> None:
    """Build the image, put the app up, send the media folder, and say what is still to be brought."""
    catalog = Catalog.read(asked.studio_file)
    plan = heroes.plan(catalog, asked.studio_file, RENTED, ours.engine, ours.gpu) if asked.nightly else None
    missing = CloudFailed(reason=TO_ADD.format(name=asked.secret)) if asked.secret else None
    async with border(ours.app, LONGEST_DEPLOY_S, absent=missing):
        with modal.enable_output():
            whole = app.complete(cron=asked.nightly, secret=asked.secret)
            await whole.deploy.aio(name=ours.app, client=ours.client)
    async with border(ours.app, LONGEST_TRIP_S):
        if plan:
            await luggage.send_plan(ours.volume(MEDIA), plan)
        there = await luggage.names(ours.volume(WEIGHTS), f"/{freight.FETCHED}")
    await media(ours, asked)
    _say(f"{ours.app} is deployed. It costs next to nothing until it draws.")
    if plan:
        _say(f"At night ({asked.nightly}, UTC) it draws {plan}; {_a_night(plan)}.")
    elif catalog.hero.prompts:
        _say(f"The heroes of {asked.studio_file} are not drawn at night; --nightly does that.")
    drawing = rented([*ours.engines, *([plan.engine] if plan else [])])
    if line := freight.lacking(drawing, catalog, there):
        _say(line)


async def media(ours: Workspace, asked: argparse.Namespace) -> None:
    """Send the media folder."""
    del asked
    async with border(ours.app, LONGEST_TRIP_S):
        sent = await luggage.send(ours.volume(MEDIA), ours.media)
    _say(f"Files of {ours.media} on Modal: {len(sent)}.")


async def status(ours: Workspace, asked: argparse.Namespace) -> None:
    """Say of each engine whether it is deployed, what runs and waits, whether it is kept warm, and of its weights."""
    del asked
    async with border(ours.app):
        there = await luggage.names(ours.volume(WEIGHTS), f"/{freight.FETCHED}")
        rows = await asyncio.gather(*(_row(ours, spec, there) for spec in app.RENTED))
    head = ("engine", "deployed", "running", "waiting", "kept warm", "weights")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        _say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if all(row[1] == "no" for row in rows):
        _say(str(RendererNotDeployed(app=ours.app)))


async def _row(ours: Workspace, spec: EngineSpec, there: set[str]) -> tuple[str, ...]:
    fetched = "yes" if freight.mark(spec) in there else "no"
    try:
        async with border(ours.app):
            pools = ours.pools(spec)
            await asyncio.gather(*(pool.hydrate.aio(client=ours.client) for pool in pools))
            stats = await asyncio.gather(*(pool.get_current_stats.aio() for pool in pools))
            settings = await asyncio.gather(*(pool.autoscaler.settings.aio() for pool in pools))
    except RendererNotDeployed:
        return spec.name, "no", "", "", "", fetched
    running, waiting = sum(each.num_total_runners for each in stats), sum(each.backlog for each in stats)
    kept = sum(each.min_containers or 0 for each in settings)
    return spec.name, "yes", str(running), str(waiting), str(kept or "no"), fetched


async def warm(ours: Workspace, asked: argparse.Namespace) -> None:
    """Keep one container of an engine, and say what that costs."""
    (spec,) = rented([asked.engine or ours.engine])
    async with border(ours.app, LONGEST_WARM_S):
        until = time.time() + keeping.BY_HAND_S
        await keeping.write_down(ours.client, Kept(app=ours.app, class_name=spec.class_name, gpu=ours.gpu, until=until))
        await ours.pools(spec)[-1].autoscaler.update.aio(min_containers=1)
    price = cost(gpu=ours.gpu or spec.gpus[0], seconds=HOUR, cores=CORES, memory_gib=memory_gib(spec))
    per_hour = f"about {price.usd:.2f} USD an hour" if price else "by the second"
    hours = f"It ends by itself after {keeping.BY_HAND_S // HOUR} hours."
    stop = "To stop: .venv/bin/python -m sakuga gpu cool"
    _say(f"{spec.name} is kept warm now, and paid for: {per_hour}. {hours} {stop}")


async def cool(ours: Workspace, asked: argparse.Namespace) -> None:
    """Keep no container of an engine, or of any."""
    specs = rented([asked.engine] if asked.engine else list(RENTED))

    async def let_go(spec: EngineSpec) -> bool:
        try:
            async with border(ours.app, LONGEST_WARM_S):
                for pool in ours.pools(spec):
                    await pool.autoscaler.update.aio(min_containers=0)
        except RendererNotDeployed:
            if asked.engine:
                raise
            return False
        return True

    if not any(await asyncio.gather(*map(let_go, specs))):
        raise RendererNotDeployed(app=ours.app)
    _say(f"Nothing is kept warm. A GPU that runs goes {ours.idle_s} s after its last clip.")


async def logs(ours: Workspace, asked: argparse.Namespace) -> None:
    """Print the last lines of the app's log."""
    told = False
    async with border(ours.app):
        found = await modal.App.lookup.aio(ours.app, client=ours.client)
        async for entry in found.logs.tail.aio(asked.lines):
            for line in entry.message.splitlines():
                _say(f"{entry.timestamp.astimezone():%m-%d %H:%M:%S}  {line}")
                told = True
    if not told:
        _say("Nothing has been logged yet.")


async def bill(ours: Workspace, asked: argparse.Namespace) -> None:
    """Print what Modal charged."""
    async with border(ours.app):
        _say(await invoice(ours.client, ours.app, asked.days))
    _say("\nWhat each clip cost by estimate stands in its sidecar; GET /clips of your studio tells it.")


async def weights(ours: Workspace, asked: argparse.Namespace) -> None:
    """Bring weights into Modal's volume."""
    fetch = ours.function("fetch")
    async with border(ours.app):
        there = await luggage.names(ours.volume(WEIGHTS), f"/{freight.FETCHED}")
    for cargo in _cargo(asked, RENTED):
        _say(freight.terms(cargo))
        async with border(ours.app, app.LONGEST_FETCH_S):
            if asked.check:
                _say(str(await freight.survey_there(fetch, cargo)))
                continue
            with freight.Counter(cargo.name) as counter:
                await freight.bring_there(fetch, ours.client, cargo, counter, accepted=asked.accept_licence)
    if not asked.check and any(freight.mark(RENTED[name]) not in there for name in asked.engines):
        _say(LATE)


def weights_here(asked: argparse.Namespace) -> None:
    """Bring weights into the folder here."""
    cargos = _cargo(asked, {name: spec for name in ENGINES if (spec := find_spec(name)).licence})
    freight.ready()
    for cargo in cargos:
        _say(freight.terms(cargo))
        if asked.check:
            _say(str(freight.survey(cargo, asked.weights)))
            continue
        with freight.Counter(cargo.name) as counter:
            freight.bring(cargo, asked.weights, counter, accepted=asked.accept_licence)


def _cargo(asked: argparse.Namespace, specs: Mapping[str, EngineSpec]) -> list[freight.Cargo]:
    """Return the engines that are named, then the LoRAs of the studio file that fit one of them."""
    engines = [known(name, specs) for name in dict.fromkeys(asked.engines)]
    catalog = Catalog.read(asked.studio_file)
    loras = {lora.source: lora for spec in engines for lora in catalog.hub_loras(spec)}
    return [*engines, *loras.values()]


async def collect(ours: Workspace, asked: argparse.Namespace) -> None:
    """Bring the hero clips of the last nights home."""
    del asked
    async with border(ours.app, LONGEST_TRIP_S):
        clips = await luggage.collect(ours.volume(MEDIA), ours.media)
    _say(f"Hero clips that came to {ours.media / heroes.FOLDER}: {len(clips)}.")


COMMANDS = {
    "deploy": deploy,
    "media": media,
    "status": status,
    "warm": warm,
    "cool": cool,
    "logs": logs,
    "cost": bill,
    "weights": weights,
    "collect": collect,
}


def _a_night(plan: heroes.Plan) -> str:
    """Return how many clips a night has at most, and what that may cost, in words."""
    spec = RENTED[plan.engine]
    count = min(len(plan.prompts), heroes.A_NIGHT)
    recipe = spec.presets.get(plan.preset)
    seconds = count * (recipe.typical_s if recipe else spec.typical_s)
    price = cost(gpu=plan.gpu or spec.gpus[0], seconds=seconds, cores=CORES, memory_gib=memory_gib(spec))
    told = f", which costs by guess {price.usd:.2f} USD and a start" if price else ""
    return f"{heroes.A_NIGHT} a night at most{told}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
