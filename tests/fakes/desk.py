"""Desk: a real gateway on a real Valkey for the moderators' page, with jobs where a test wants them."""

from pathlib import Path
from typing import Any, Self

from api.door import COOKIE
from sakuga import store
from sakuga.clip import Clip
from sakuga.event import EventType
from sakuga.events import Events
from sakuga.gallery import Gallery
from sakuga.job import Job, JobStatus, RequestedBy, new_job_id
from sakuga.keys import Keys
from sakuga.lane import Credit, Lane
from sakuga.moderation import Moderation
from sakuga.playout import Playout
from sakuga.queue import Queue, Terms
from sakuga.role import Role
from sakuga.stage import StageState
from sakuga.storage import Storage
from sakuga.votes import Votes
from tests.fakes.jobs import clip, fields
from tests.fakes.lives import begun
from tests.fakes.renderer import SPEC
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey
from worker import upkeep
from worker.renderers import Readiness

EARNED_S = {Lane.SUB: 300.0, Lane.VIP: 120.0, Lane.BITS: 180.0, Lane.MOD: 600.0}
REASON = {Lane.BITS: "300 bits"}


class Desk:
    """Starts once; `clear` makes it a studio that has just opened."""

    def __init__(self, folder: Path) -> None:
        self.valkey = Valkey(folder)
        self.server = GatewayThread(self.valkey.settings)
        self.url = self.server.url

    async def __aenter__(self) -> Self:
        await self.valkey.start()
        self.redis = store.connect(self.valkey.url)
        self.queue = Queue(self.redis)
        self.moderation = Moderation(self.redis)
        self.server.__enter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.__exit__()
        await self.redis.aclose()
        self.valkey.kill()

    async def clear(self) -> None:
        """Forget everything; a worker introduces itself and then does nothing."""
        await self.redis.flushdb()
        await self.queue.configure(slots=1)
        me = upkeep.Introduction("worker_1", "puppet", [SPEC], 1)
        await upkeep.introduce(self.redis, me, Readiness(gpu="H100", warm=True))

    async def cookie(self, role: Role = Role.MODERATOR, name: str = "alice") -> dict[str, Any]:
        """Return the cookie of a browser that is logged in."""
        secret, _ = await Keys(self.redis).new(role, name)
        return {"name": COOKIE, "value": secret, "url": self.url, "httpOnly": True, "sameSite": "Strict"}

    async def ask(
        self, prompt: str, name: str = "Mika", lane: Lane = Lane.VIEWER, *, held_for: str = "", viewer: str = ""
    ) -> Job:
        """Let a viewer of that name ask for a cut; by a lane with head start, or to be held."""
        earned = [Credit(reason=REASON.get(lane, lane.value), seconds=EARNED_S[lane])] if lane in EARNED_S else []
        viewer_id = viewer or str(3000 + sum(name.encode()))
        by = RequestedBy(platform="twitch", id=viewer_id, login=f"viewer{viewer_id}", display_name=name)
        request = fields(prompt=prompt, lane=lane, requested_by=by.model_dump_json(), engine=SPEC.name)
        job, _ = await self.queue.submit(new_job_id(), request, earned, Terms(forced=True, held_for=held_for))
        return job

    async def line(self, *prompts: str) -> list[Job]:
        """Let as many viewers ask, one after another."""
        return [await self.ask(prompt, f"Viewer {prompt}") for prompt in prompts]

    async def draw(self) -> Job:
        """Bring a job onto the desk, a tenth of it drawn."""
        return await begun(self.redis)

    async def put_on_air(self, footage: Path) -> None:
        """Play a clip of the gallery on the stage."""
        document = clip(41, prompt="fox in a ramen shop, steam and lanterns", duration_s=2.0)
        await Storage.open(self.valkey.settings).put(document, footage / "1.mp4", footage / "1.jpg")
        await self.redis.zadd(store.CLIPS, {document.id: document.finished_at})
        await self.redis.hset(store.CLIP_DOCUMENTS, document.id, document.model_dump_json())
        await Playout(self.redis).show(StageState.RESULT, document.id, None)

    async def order(self) -> list[str]:
        """Return the prompts of those that wait, the next first."""
        return [job.prompt for job in (await self.queue.board(500)).waiting]

    async def status(self, job: Job) -> JobStatus:
        """Return how a job is by now."""
        return (await self.queue.look(job.id))[0].status

    async def heard(self, kind: EventType) -> int:
        """Return how often the log has that event."""
        return sum(event.type is kind for event in await Events(self.redis).after("0-0", limit=1000))

    async def on_air(self) -> StageState:
        """Return what the stage shows."""
        return (await Playout(self.redis).now()).state

    async def vote(self, viewer: str, choice: str) -> None:
        """Cast a viewer's vote on the open ballot."""
        await Votes(self.redis).cast(viewer, choice)

    async def clips(self) -> list[Clip]:
        """Return what is in the gallery."""
        return await Gallery(self.redis).newest(50)
