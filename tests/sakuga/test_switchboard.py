"""`python -m sakuga webhooks`, as it is typed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sakuga import store, switchboard
from sakuga.__main__ import main, parser
from sakuga.errors import WebhookNotFound, WebhookRefused, WebhookSilent
from sakuga.webhook import DeliveryState
from sakuga.webhooks import Webhooks
from tests.fakes.valkey import Valkey

URL = "https://example.com/sakuga"


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[store.Client]:
    client = store.connect(valkey.url)
    yield client
    await client.aclose()


async def typed(valkey: Valkey, *words: str) -> str:
    return await switchboard.run(valkey.settings, parser().parse_args(["webhooks", *words]))


async def test_a_webhook_is_added_listed_and_removed(valkey: Valkey, redis: store.Client) -> None:
    said = await typed(valkey, "add", URL, "--type", "clip.ready", "--prompts")
    (hook,) = await Webhooks(redis).all()
    assert said.startswith(f"{hook.id}  {hook.secret.get_secret_value()}\n")
    assert await typed(valkey, "list") == f"{hook.id}  on  {URL}  clip.ready, with prompts"
    assert await typed(valkey, "remove", hook.id) == f"removed {hook.id}"
    assert await typed(valkey, "list") == "There are no webhooks."


async def test_a_test_says_how_it_went(valkey: Valkey, redis: store.Client) -> None:
    webhooks = Webhooks(redis)
    hook = await webhooks.add(URL)

    async def receive() -> None:
        async with asyncio.timeout(10):
            while not (found := await webhooks.claim(hook.id, limit=1, lease_s=9)):  # noqa: ASYNC110 - Redis tells nobody
                await asyncio.sleep(0.02)
        tried = found[0].message.model_copy(update={"attempts": 1, "outcome": "204", "took_ms": 84})
        await webhooks.settle(hook.id, found[0], tried, state=DeliveryState.DELIVERED)

    said, _ = await asyncio.gather(typed(valkey, "test", hook.id), receive())
    assert said == "It arrived: 204 after 84 ms."


async def test_a_test_that_nobody_sends_says_what_to_look_at(
    valkey: Valkey, redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switchboard, "ANSWER_S", 0.1)
    hook = await Webhooks(redis).add(URL)
    with pytest.raises(WebhookSilent, match="whether a worker runs"):
        await typed(valkey, "test", hook.id)


async def test_what_can_not_be_done_is_refused(valkey: Valkey) -> None:
    with pytest.raises(WebhookRefused):
        await typed(valkey, "add", "http://169.254.169.254/")
    with pytest.raises(WebhookNotFound):
        await typed(valkey, "test", "hook_1")


@pytest.mark.parametrize(
    "words", [["webhooks"], ["webhooks", "add", URL, "--type", "job.sung"], ["replay", "f", "--speed", "0"]]
)
def test_what_is_mistyped_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert "usage:" in capsys.readouterr().err
