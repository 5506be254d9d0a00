"""PUT /chats/{platform}: who listens to a chat says how well it is heard."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.documents import Document, time_of
from api.door import needs
from api.errors import described
from api.state import Studio
from sakuga.presence import Platform, Presence, PresenceState, Quota
from sakuga.prompt import clean_line
from sakuga.role import Role

router = APIRouter(tags=["health"])

Words = Annotated[str, Field(max_length=200), AfterValidator(clean_line)]


class ChatRequest(BaseModel):
    """How a chat is heard."""

    model_config = ConfigDict(extra="forbid", strict=True)

    state: PresenceState = Field(
        description="`away` while the platform does not answer; `logged_out` without a login; `revoked` once the "
        "platform has taken it back.",
        examples=["listening"],
    )
    account: Words | None = Field(default=None, description="Who listens.", examples=["sakuga_bot"])
    channel: Words | None = Field(default=None, description="Whose chat it is.", examples=["mika"])
    detail: Words | None = Field(default=None, description="What is amiss, in words.", examples=[None])
    reward: Words | None = Field(
        default=None, description="How the channel-point reward is, if there is one.", examples=["open"]
    )
    quota: Quota | None = Field(default=None, description="For platforms that count what they are asked.")


class ChatDocument(Document):
    """How a platform's chat is heard."""

    platform: Platform = Field(examples=["twitch"])
    state: PresenceState = Field(examples=["listening"])
    account: str | None = Field(description="Who listens.", examples=["sakuga_bot"])
    channel: str | None = Field(description="Whose chat it is.", examples=["mika"])
    detail: str | None = Field(description="What is amiss, in words.", examples=[None])
    reward: str | None = Field(description="How the channel-point reward is, if there is one.", examples=["open"])
    quota: Quota | None
    message: str | None = Field(description="What to do about `state`, in a sentence; null if nothing.")
    at: str = Field(description="When that was said. What is older than 90 s is not listed.")

    @classmethod
    def of(cls, presence: Presence) -> "ChatDocument":
        """Describe how a chat is heard."""
        told = presence.model_dump(exclude={"at", "quota"})
        return cls(**told, quota=presence.quota, message=presence.message, at=time_of(presence.at))


@router.put(
    "/chats/{platform}",
    dependencies=needs(Role.BOT),
    responses=described(400, 413, 415, 422),
    summary="Say how a chat is heard (the bot does)",
)
async def put_chat(
    platform: Annotated[Platform, Path(description="Where the chat is.", examples=["twitch"])],
    told: ChatRequest,
    studio: Studio,
) -> ChatDocument:
    """Say how a chat is heard. It holds for 90 s, so it is said again every half a minute; GET /health lists it."""
    said = Presence(platform=platform, **told.model_dump(exclude={"quota"}), quota=told.quota)
    return ChatDocument.of(await studio.presences.tell(said))
