"""The switchboard: `python -m sakuga webhooks`."""

import argparse
import asyncio
from time import monotonic

from sakuga import address, broker
from sakuga.errors import WebhookSilent
from sakuga.event import EventType
from sakuga.settings import Settings
from sakuga.webhook import DeliveryState, Message, Webhook
from sakuga.webhooks import Delivery, Webhooks

ANSWER_S = 15.0  # an attempt takes 10 s at most
LOOK_S = 0.1


def add_commands(group: argparse.ArgumentParser) -> None:
    """Add the acts of `webhooks` to a parser."""
    acts = group.add_subparsers(dest="act", required=True, metavar="COMMAND")
    add = acts.add_parser("add", help="let an address hear of events, and print the secret that signs them")
    add.add_argument("url", help="an https address")
    add.add_argument(
        "--type", action="append", default=[], choices=[kind.value for kind in EventType], dest="types", metavar="TYPE"
    )
    add.add_argument("--prompts", action="store_true", help="send viewers' prompts too")
    acts.add_parser("list", help="list webhooks and how they are doing, without their secrets")
    for name, told in {
        "remove": "let an address hear nothing more",
        "test": "send a message to try a webhook, and say how it went; a worker has to run",
    }.items():
        acts.add_parser(name, help=told).add_argument("webhook_id")


async def run(settings: Settings, asked: argparse.Namespace) -> str:
    """Do one act and return what to print.

    Raises WebhookRefused, WebhookNotFound, WebhookDisabled, WebhookSilent, BrokerFailed.
    """
    async with broker.lent(settings) as redis:
        return await _act(Webhooks(redis), settings, asked)


async def _act(webhooks: Webhooks, settings: Settings, asked: argparse.Namespace) -> str:
    if asked.act == "add":
        url = address.check(asked.url, private=settings.webhooks_private)
        hook = await webhooks.add(url, types=dict.fromkeys(asked.types), prompts=asked.prompts, by="command line")
        return f"{hook.id}  {hook.secret.get_secret_value()}\nThe secret is told this once."
    if asked.act == "remove":
        await webhooks.remove(asked.webhook_id)
        return f"removed {asked.webhook_id}"
    if asked.act == "test":
        return await _tried(webhooks, asked.webhook_id, await webhooks.test(asked.webhook_id))
    return "\n".join(map(_line, await webhooks.all())) or "There are no webhooks."


async def _tried(webhooks: Webhooks, webhook_id: str, sent: Message) -> str:
    """Wait until a worker has tried a message, and say how it went."""
    until = monotonic() + ANSWER_S
    while monotonic() < until:
        for delivery in await webhooks.deliveries(webhook_id, limit=1000):
            if delivery.message.id == sent.id and delivery.message.attempts:
                return _told(delivery)
        await asyncio.sleep(LOOK_S)
    raise WebhookSilent(reason="nobody has sent it yet, so look whether a worker runs; it stays in the outbox")


def _told(delivery: Delivery) -> str:
    message = delivery.message
    if delivery.state is DeliveryState.DELIVERED:
        return f"It arrived: {message.outcome} after {message.took_ms} ms."
    raise WebhookSilent(reason=f"{message.outcome} after {message.took_ms} ms")


def _line(hook: Webhook) -> str:
    state = f"off ({hook.disabled_for})" if hook.disabled_at else "failing" if hook.failing_since else "on"
    what = ", ".join(hook.types) or "all but job.progressed"
    return f"{hook.id}  {state}  {hook.url}  {what}{', with prompts' if hook.prompts else ''}"
