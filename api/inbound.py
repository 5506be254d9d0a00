"""POST /inbound: signed messages by which other programs ask, without a key."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from api.documents import AcceptedDocument, Document
from api.door import Caller, signed
from api.errors import described, example
from api.generate import GenerateRequest, take_in
from api.paid import receive
from api.signature import ID, SIGNATURE, TIMESTAMP
from api.state import Studio
from sakuga.errors import SignatureInvalid
from sakuga.support import Support

router = APIRouter(tags=["jobs"])

UNSIGNED = {
    "description": (SignatureInvalid.__doc__ or "").strip(),
    "content": {
        "application/json": {
            "example": example(
                SignatureInvalid(problem="The signature is not the one that SAKUGA_INBOUND_SECRET makes.")
            )
        }
    },
}


class InboundGenerate(BaseModel):
    """A request for a clip."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "generate", "data": {"prompt": "girl with sword, neon rain"}}]}
    )

    type: Literal["generate"]
    data: GenerateRequest


class InboundSupport(BaseModel):
    """What a viewer gave on some platform."""

    type: Literal["support"]
    data: Support


class InboundDocument(Document):
    """What became of a message."""

    type: Literal["generate", "support"] = Field(description="That of the message.", examples=["generate"])
    job: AcceptedDocument | None = Field(description="The job that was asked for; null for support.")
    bits: int | None = Field(description="Bits that support put into the viewer's purse; else null.", examples=[None])


@router.post(
    "/inbound",
    status_code=202,
    responses=described(400, 404, 409, 413, 415, 422, 429) | {401: described(401)[401] | UNSIGNED},
    summary="Ask by a signed message",
)
async def inbound(
    *,
    message: Annotated[InboundGenerate | InboundSupport, Field(discriminator="type")],
    caller: Annotated[Caller, signed],
    studio: Studio,
    message_id: Annotated[
        str, Header(alias=ID, max_length=100, description="Names the message: sent again, it is the same request.")
    ],
    timestamp: Annotated[str, Header(alias=TIMESTAMP, description="Seconds since 1970, within five minutes.")],
    signature: Annotated[str, Header(alias=SIGNATURE, description="`v1,` and base64, several with spaces between.")],
) -> InboundDocument:
    """Carry out a message that is signed as Standard Webhooks has it, with SAKUGA_INBOUND_SECRET.

    Who signs may ask for anybody, as a bot may, and needs no key.
    """
    del timestamp, signature  # the door has looked at them
    if isinstance(message, InboundSupport):
        return InboundDocument(type=message.type, job=None, bits=await receive(message.data, studio))
    job = await take_in(message.data, caller, studio, message_id)
    return InboundDocument(type=message.type, job=job, bits=None)
