"""Errors about webhooks: a target that can't be one, and what is not there."""

from sakuga.errors.request import RequestRefused
from sakuga.errors.studio import StudioError


class WebhookRefused(RequestRefused):
    """The target of a webhook was not allowed."""

    message = "A webhook can't be sent there: {problem}. docs/how-to/webhooks.md says what can be a target."
    param = "url"


class WebhooksExhausted(RequestRefused):
    """There were as many webhooks as the studio keeps."""

    message = "There are {limit} webhooks already. Remove one that is not needed: DELETE /webhooks/{{webhook_id}}."


class WebhookSilent(StudioError):
    """A message that was sent to try a webhook did not arrive."""

    message = "It did not arrive: {reason}."


class WebhookNotFound(RequestRefused):
    """No webhook had that id."""

    message = "There is no webhook {webhook_id!r}. GET /webhooks lists those that exist."
    param = "webhook_id"


class WebhookDisabled(RequestRefused):
    """The webhook was switched off, by its receiver or after failing for days."""

    message = "The webhook is disabled ({reason}). Switch it on first: POST /webhooks/{{webhook_id}}/enable."
    param = "webhook_id"


class DeliveryNotFound(RequestRefused):
    """No delivery of that webhook had that id, or it is no longer kept."""

    message = "There is no delivery {delivery_id!r}. GET /webhooks/{{webhook_id}}/deliveries lists those that are kept."
    param = "delivery_id"
