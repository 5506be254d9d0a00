"""GET, POST and DELETE /webhooks: which addresses hear of events, and how sending to them went."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.documents import Document, time_of
from api.door import Caller, at_least, needs
from api.errors import described
from api.state import Studio
from sakuga import address
from sakuga.event import EventType
from sakuga.role import Role
from sakuga.webhook import DeliveryState, Webhook
from sakuga.webhooks import Delivery, Webhooks

router = APIRouter(tags=["webhooks"])

HOOK_ID = "hook_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"
MESSAGE_ID = "msg_1795154400000-0_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"
HookIdInPath = Annotated[str, Path(max_length=64, description="A webhook_id of GET /webhooks.", examples=[HOOK_ID])]
MessageIdInPath = Annotated[
    str, Path(max_length=128, description="A delivery_id of GET /webhooks/{webhook_id}/deliveries.")
]
OWNER = needs(Role.BROADCASTER)


async def _registry(studio: Studio) -> Webhooks:
    return Webhooks(studio.redis)


Registry = Annotated[Webhooks, Depends(_registry)]


class WebhookRequest(BaseModel):
    """Where events are to be sent, and which."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    url: str = Field(
        max_length=address.LONGEST_URL,
        description="An https address outside; inside only where SAKUGA_WEBHOOKS_PRIVATE allows it.",
        examples=["https://example.com/sakuga"],
    )
    types: list[EventType] = Field(
        default_factory=list,
        max_length=64,
        description="Types of events to hear of; none is all but job.progressed.",
        examples=[["clip.ready", "job.failed"]],
    )
    prompts: bool = Field(default=False, description="Whether viewers' prompts are sent too.")


class WebhookDocument(Document):
    """A webhook and how it is doing. Its secret is told only when it is added."""

    webhook_id: str = Field(examples=[HOOK_ID])
    url: str = Field(examples=["https://example.com/sakuga"])
    types: list[str] = Field(description="Empty: all but job.progressed.", examples=[["clip.ready"]])
    prompts: bool = Field(description="Whether it is sent viewers' prompts.")
    by: str = Field(description="Whose key added it.", examples=["alice"])
    created_at: str = Field(examples=["2026-11-20T06:00:00.123Z"])
    failing_since: str | None = Field(description="When attempts began to fail; null if the last one did not.")
    disabled_at: str | None = Field(description="When it was switched off; null while it is on.")
    disabled_for: str | None = Field(description="`gone` if the receiver said 410, `failing` after days of failures.")

    @classmethod
    def of(cls, hook: Webhook, **more: str) -> Self:
        """Describe a webhook."""
        return cls(
            webhook_id=hook.id,
            url=hook.url,
            types=hook.types,
            prompts=hook.prompts,
            by=hook.by,
            created_at=time_of(hook.created_at),
            failing_since=time_of(hook.failing_since) if hook.failing_since else None,
            disabled_at=time_of(hook.disabled_at) if hook.disabled_at else None,
            disabled_for=hook.disabled_for or None,
            **more,
        )


class NewWebhookDocument(WebhookDocument):
    """A webhook that was just added, with the secret that its receiver verifies signatures by."""

    secret: str = Field(description="Told this once. Keep it.", examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class WebhooksDocument(Document):
    """All webhooks."""

    webhooks: list[WebhookDocument]


class DeliveryDocument(Document):
    """One message to one webhook, and how sending it went."""

    delivery_id: str = Field(description="The header webhook-id of the message.", examples=[MESSAGE_ID])
    type: str = Field(description="The event's type, or `webhook.test`.", examples=["clip.ready"])
    state: DeliveryState = Field(description="`dead` was given up, and can be sent again by hand.")
    attempts: int = Field(examples=[1])
    outcome: str | None = Field(
        description="How the last attempt ended: an HTTP status, or a word such as timeout.", examples=["204"]
    )
    took_ms: int | None = Field(description="Milliseconds that the last attempt took.", examples=[84])
    written_at: str = Field(examples=["2026-11-20T06:00:00.123Z"])
    tried_at: str | None = Field(description="When it was tried last.")
    next_at: str | None = Field(description="When it is tried next; null when it is not.")

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Describe a delivery."""
        message = delivery.message
        return cls(
            delivery_id=message.id,
            type=message.type,
            state=delivery.state,
            attempts=message.attempts,
            outcome=message.outcome or None,
            took_ms=message.took_ms,
            written_at=time_of(message.written_at),
            tried_at=time_of(message.tried_at) if message.tried_at else None,
            next_at=time_of(delivery.next_at) if delivery.next_at else None,
        )


class DeliveriesDocument(Document):
    """What waits, then what was given up, then what arrived lately."""

    deliveries: list[DeliveryDocument]


class SentDocument(Document):
    """A message that was put into the outbox. A worker sends it within a second."""

    delivery_id: str = Field(examples=[MESSAGE_ID])


@router.get("/webhooks", dependencies=OWNER, responses=described(), summary="Which addresses hear of events")
async def webhooks(registry: Registry) -> WebhooksDocument:
    """Return all webhooks, without their secrets."""
    return WebhooksDocument(webhooks=[WebhookDocument.of(hook) for hook in await registry.all()])


@router.post(
    "/webhooks", status_code=201, responses=described(400, 409, 413, 415, 422), summary="Let an address hear of events"
)
async def post_webhook(
    asked: WebhookRequest, studio: Studio, registry: Registry, caller: Annotated[Caller, at_least(Role.BROADCASTER)]
) -> NewWebhookDocument:
    """Add a webhook, and return the secret that signs its messages: this once."""
    url = address.check(asked.url, private=studio.settings.webhooks_private)
    hook = await registry.add(url, types=dict.fromkeys(asked.types), prompts=asked.prompts, by=caller.by)
    return NewWebhookDocument.of(hook, secret=hook.secret.get_secret_value())


@router.delete(
    "/webhooks/{webhook_id}",
    status_code=204,
    dependencies=OWNER,
    responses=described(404, 422),
    summary="Let an address hear nothing more",
)
async def delete_webhook(webhook_id: HookIdInPath, registry: Registry) -> Response:
    """Remove a webhook with all that waits for it."""
    await registry.remove(webhook_id)
    return Response(status_code=204)


@router.post(
    "/webhooks/{webhook_id}/enable",
    dependencies=OWNER,
    responses=described(404, 422),
    summary="Switch a webhook on again",
)
async def enable_webhook(webhook_id: HookIdInPath, registry: Registry) -> WebhookDocument:
    """Switch on a webhook that its receiver or days of failures switched off. What waited is sent now."""
    return WebhookDocument.of(await registry.enable(webhook_id))


@router.post(
    "/webhooks/{webhook_id}/test",
    status_code=202,
    dependencies=OWNER,
    responses=described(404, 409, 422),
    summary="Send a message to try it",
)
async def test_webhook(webhook_id: HookIdInPath, registry: Registry) -> SentDocument:
    """Send a message of the type `webhook.test`, whatever types the webhook wants."""
    return SentDocument(delivery_id=(await registry.test(webhook_id)).id)


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    dependencies=OWNER,
    responses=described(404, 422),
    summary="How sending went",
)
async def deliveries(
    webhook_id: HookIdInPath,
    registry: Registry,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many to list.")] = 100,
) -> DeliveriesDocument:
    """Return what waits, what was given up (the last 500) and what arrived (the last 100), each the newest first."""
    found = await registry.deliveries(webhook_id, limit=limit)
    return DeliveriesDocument(deliveries=[DeliveryDocument.of(one) for one in found])


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    dependencies=OWNER,
    responses=described(404, 409, 422),
    summary="Send a message again",
)
async def redeliver(webhook_id: HookIdInPath, delivery_id: MessageIdInPath, registry: Registry) -> SentDocument:
    """Send a message again, under the same id, from its first attempt on."""
    return SentDocument(delivery_id=(await registry.redeliver(webhook_id, delivery_id)).id)
