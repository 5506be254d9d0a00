"""`python -m gpu.cloud COMMAND`: the studio's side of Modal, from the first deployment to the bill."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import modal

from gpu import app, freight, heroes, luggage
from gpu.border import border, knock
from gpu.catalog import Catalog
from gpu.container import CORES, IDLE_S, MEDIA, WEIGHTS, memory_gib
from gpu.engines import ENGINES, find_spec
from gpu.invoice import invoice
from gpu.price import HOUR, cost
from gpu.workspace import RENTED, Workspace, known, rented
from sakuga.engine import MODAL_APP, EngineSpec
from sakuga.errors import CloudFailed, RendererNotDeployed, RendererUnauthorised, SakugaError, StudioError

LONGEST_DEPLOY_S = 30 * app.MINUTES  # the first one builds the image
LONGEST_TRIP_S = 60 * app.MINUTES
LONGEST_WARM_S = 60.0
EVERY_NIGHT = "0 4 * * *"
INTERRUPTED = 130
TO_MEND = (StudioError, RendererNotDeployed, RendererUnauthorised)
"""What a person has to mend before the command can do its work."""


async def deploy(ours: Workspace, asked: argparse.Namespace) -> None:
    """Build the image, put the app up, send the media folder, and say what is still to be brought."""
    catalog = Catalog.read(asked.studio_file)
    plan = heroes.plan(catalog, asked.studio_file, RENTED, ours.engine, ours.gpu) if asked.nightly else None
    missing = CloudFailed(reason=f"there is no secret {asked.secret!r} in your workspace.") if asked.secret else None
    async with border(ours.app, LONGEST_DEPLOY_S, absent=missing):
        with modal.enable_output():
            whole = app.complete(cron=asked.nightly, secret=asked.secret)
            await whole.deploy.aio(name=ours.app, client=ours.client)
    async with border(ours.app, LONGEST_TRIP_S):
        if plan:
            await luggage.send_plan(ours.volume(MEDIA), plan)
        there = await luggage.names(ours.volume(WEIGHTS), f"/{freight.FETCHED}")
    await media(ours, asked)
    _say(f"{ours.app} is deployed. It costs nothing until it draws.")
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
        await ours.pools(spec)[-1].autoscaler.update.aio(min_containers=1)
    price = cost(gpu=ours.gpu or spec.gpus[0], seconds=HOUR, cores=CORES, memory_gib=memory_gib(spec))
    per_hour = f"about {price.usd:.2f} USD an hour" if price else "by the second"
    _say(f"{spec.name} is kept warm from now on, and paid for: {per_hour}. To stop: python -m sakuga gpu cool")


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
    async with border(ours.app):
        found = await modal.App.lookup.aio(ours.app, client=ours.client)
        async for entry in found.logs.tail.aio(asked.lines):
            for line in entry.message.splitlines():
                _say(f"{entry.timestamp.astimezone():%m-%d %H:%M:%S}  {line}")


async def bill(ours: Workspace, asked: argparse.Namespace) -> None:
    """Print what Modal charged."""
    async with border(ours.app):
        _say(await invoice(ours.client, ours.app, asked.days))
    _say("\nWhat each clip cost by estimate stands in its sidecar; GET /clips of your studio tells it.")


async def weights(ours: Workspace, asked: argparse.Namespace) -> None:
    """Bring weights into Modal's volume."""
    fetch = ours.function("fetch")
    for cargo in _cargo(asked, RENTED):
        _say(freight.terms(cargo))
        async with border(ours.app, app.LONGEST_FETCH_S):
            if asked.check:
                _say(str(await freight.survey_there(fetch, cargo)))
                continue
            with freight.Counter(cargo.name) as counter:
                await freight.bring_there(fetch, ours.client, cargo, counter, accepted=asked.accept_licence)


def weights_here(asked: argparse.Namespace) -> None:
    """Bring weights into the folder here."""
    cargos = _cargo(asked, {name: spec for name in ENGINES if (spec := find_spec(name)).source})
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


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. What stands before the command is the studio's settings."""
    root = argparse.ArgumentParser(prog="python -m sakuga gpu", description="The GPU half of the studio, on Modal.")
    root.add_argument("--app", default=MODAL_APP, help=argparse.SUPPRESS)
    root.add_argument("--weights", type=Path, default=Path("var/weights"), help=argparse.SUPPRESS)
    root.add_argument("--media", type=Path, default=Path("media"), help=argparse.SUPPRESS)
    root.add_argument("--studio-file", type=Path, default=Path("studio.toml"), help=argparse.SUPPRESS)
    root.add_argument("--gpu", help=argparse.SUPPRESS)
    root.add_argument("--idle", type=float, default=IDLE_S, help=argparse.SUPPRESS)
    root.add_argument("--offer", action="append", default=[], help=argparse.SUPPRESS)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    found = commands.add_parser("deploy", help="put the app up; again after every update of the studio")
    found.add_argument(
        "--nightly",
        metavar="CRON",
        nargs="?",
        const=EVERY_NIGHT,
        help="draw the heroes of the studio file at night (UTC)",
    )
    found.add_argument("--secret", metavar="NAME", help="a secret on Modal that holds HF_TOKEN, for gated weights")
    commands.add_parser("media", help="send LoRAs and pictures of the media folder")
    commands.add_parser("status", help="say what is deployed, what runs, and what is paid for")
    commands.add_parser("warm", help="keep a GPU ready, and pay for it").add_argument("engine", nargs="?")
    commands.add_parser("cool", help="keep no GPU ready any more").add_argument("engine", nargs="?")
    found = commands.add_parser("logs", help="print the last lines of the log")
    found.add_argument("-n", "--lines", type=int, default=100)
    commands.add_parser("cost", help="print what Modal charged").add_argument("--days", type=int, default=7)
    found = commands.add_parser("weights", help="fetch the weights of engines, and the LoRAs for them")
    found.add_argument("engines", nargs="+", metavar="ENGINE")
    found.add_argument("--accept-licence", action="store_true", help="agree to terms that have to be agreed to")
    found.add_argument("--check", action="store_true", help="only say how much there is to fetch")
    found.add_argument("--here", action="store_true", help="fetch them into the weights folder of this PC")
    commands.add_parser("collect", help="bring hero clips into the media folder")
    return root


async def _run(asked: argparse.Namespace) -> None:
    client = await knock(asked.app)
    ours = Workspace(client, asked.app, asked.media, asked.gpu, int(asked.idle), tuple(asked.offer))
    await COMMANDS[asked.command](ours, asked)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 2 where a person has to mend something first."""
    asked = parser().parse_args(arguments)
    try:
        if asked.command == "weights" and asked.here:
            weights_here(asked)
        else:
            asyncio.run(_run(asked))
    except SakugaError as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, TO_MEND) else 1
    except KeyboardInterrupt:
        kept = " What has arrived is kept: the same command goes on from there." if asked.command == "weights" else ""
        sys.stderr.write(f"\nStopped.{kept}\n")
        return INTERRUPTED
    return 0


def _a_night(plan: heroes.Plan) -> str:
    """Return how many clips a night has at most, and what that may cost, in words."""
    spec = RENTED[plan.engine]
    count = min(len(plan.prompts), heroes.A_NIGHT)
    recipe = spec.presets.get(plan.preset)
    seconds = count * (recipe.typical_s if recipe else spec.typical_s)
    price = cost(gpu=plan.gpu or spec.gpus[0], seconds=seconds, cores=CORES, memory_gib=memory_gib(spec))
    told = f", by guess {price.usd:.2f} USD without the start" if price else ""
    return f"{heroes.A_NIGHT} a night at most{told}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
