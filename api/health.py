"""GET /health: which parts of the studio are up."""

from enum import StrEnum

from fastapi import APIRouter
from pydantic import Field
from redis.exceptions import RedisError

from api.chats import ChatDocument
from api.documents import Document
from api.door import needs
from api.errors import described
from api.state import State, Studio
from sakuga import __version__

router = APIRouter(tags=["health"])


class Light(StrEnum):
    """A part is up or down."""

    UP = "up"
    DOWN = "down"

    @classmethod
    def of(cls, value: object) -> "Light":
        """Return up for what is true."""
        return cls.UP if value else cls.DOWN


class Whole(StrEnum):
    """The studio as a whole."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class BrokerHealth(Document):
    """Redis, the studio's memory."""

    status: Light
    kind: str = Field(description="`embedded` or `external`.", examples=["embedded"])


class WorkerHealth(Document):
    """All workers together."""

    status: Light
    count: int = Field(examples=[1])
    busy: int = Field(description="Slots in use.", examples=[0])
    slots: int = Field(examples=[1])


class RendererHealth(Document):
    """Where engines run."""

    status: Light = Field(description="Whether clips can be drawn, be it by the next one of a chain.")
    name: str | None = Field(examples=["rehearsal"])
    model: str | None = Field(description="The default engine.", examples=["rehearsal"])
    gpu: str | None = Field(description="The GPU, if there is one.", examples=["H100"])
    warm: bool = Field(description="Whether a render begins without loading weights first.")
    trouble: str | None = Field(
        description="The code of what keeps the renderer from drawing where it should, or from being as warm as it is "
        "wished.",
        examples=[None],
    )
    message: str | None = Field(description="What to do about `trouble`, in a sentence.", examples=[None])


class PartHealth(Document):
    """A part with nothing more to say."""

    status: Light


class FileHealth(Document):
    """The studio file."""

    status: Light = Field(description="Whether what it says now is what holds.")
    message: str | None = Field(description="What to mend; the last good state holds until then.", examples=[None])


class HealthDocument(Document):
    """The studio's health, part by part. `degraded`: requests are taken, but clips are not made or not shown."""

    status: Whole
    version: str = Field(examples=["0.1.0"])
    broker: BrokerHealth
    worker: WorkerHealth
    renderer: RendererHealth
    stage: PartHealth = Field(description="The stage manager.")
    storage: PartHealth
    studio_file: FileHealth
    chats: list[ChatDocument] = Field(
        default_factory=list, description="How each chat is heard, as its bot said within the last 90 s."
    )


@router.get("/health", dependencies=needs(None), responses=described(), summary="Which parts are up")
async def health(studio: Studio) -> HealthDocument:
    """Return the health of each part. Answers 200 even when a part is down: read `status`."""
    kind = "external" if studio.settings.redis_url else "embedded"
    storage = Light.of(await studio.storage.reachable())
    try:
        workers = await studio.workers()
        board = await studio.queue.board()
        stage = Light.of(await studio.playout.managed())
        chats = await studio.presences.now()
    except (RedisError, OSError):
        return HealthDocument(
            status=Whole.UNHEALTHY,
            version=__version__,
            broker=BrokerHealth(status=Light.DOWN, kind=kind),
            worker=WorkerHealth(status=Light.DOWN, count=0, busy=0, slots=0),
            renderer=RendererHealth(
                status=Light.DOWN, name=None, model=None, gpu=None, warm=False, trouble=None, message=None
            ),
            stage=PartHealth(status=Light.DOWN),
            storage=PartHealth(status=storage),
            studio_file=_file(studio),
        )
    first = workers[0] if workers else {}
    drawing = Light.of(first.get("there", True) if first else False)
    well = workers and drawing is stage is storage is Light.UP
    return HealthDocument(
        status=Whole.HEALTHY if well else Whole.DEGRADED,
        version=__version__,
        broker=BrokerHealth(status=Light.UP, kind=kind),
        worker=WorkerHealth(status=Light.of(workers), count=len(workers), busy=len(board.running), slots=board.slots),
        renderer=RendererHealth(
            status=drawing,
            name=first.get("renderer"),
            model=first.get("model"),
            gpu=first.get("gpu"),
            warm=first.get("warm", False),
            trouble=first.get("trouble"),
            message=first.get("message"),
        ),
        stage=PartHealth(status=stage),
        storage=PartHealth(status=storage),
        studio_file=_file(studio),
        chats=[ChatDocument.of(chat) for chat in chats],
    )


def _file(studio: State) -> FileHealth:
    problem = studio.file.look()
    return FileHealth(status=Light.of(problem is None), message=problem)
