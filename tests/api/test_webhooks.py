import httpx
import pytest
from standardwebhooks import Webhook as Signature

from api.state import State
from sakuga import store
from sakuga.keys import Keys
from sakuga.role import Role
from sakuga.webhook import DeliveryState
from sakuga.webhooks import Webhooks

URL = "https://example.com/sakuga"


@pytest.fixture
async def owner(http: httpx.AsyncClient, redis: store.Client) -> httpx.AsyncClient:
    """A client with the broadcaster's key."""
    secret, _ = await Keys(redis).new(Role.BROADCASTER, "alice")
    http.headers["Authorization"] = f"Bearer {secret}"
    return http


async def added(owner: httpx.AsyncClient, **wishes: object) -> dict[str, object]:
    answer = await owner.post("/webhooks", json={"url": URL, **wishes})
    assert answer.status_code == 201
    document: dict[str, object] = answer.json()
    return document


async def test_a_webhook_is_added_with_a_secret_that_is_told_once(owner: httpx.AsyncClient) -> None:
    document = await added(owner, types=["clip.ready", "clip.ready"])
    assert Signature(str(document["secret"]))
    assert (document["url"], document["types"], document["prompts"]) == (URL, ["clip.ready"], False)
    assert (document["by"], document["disabled_at"]) == ("alice", None)
    listed = (await owner.get("/webhooks")).json()["webhooks"]
    assert [one["webhook_id"] for one in listed] == [document["webhook_id"]]
    assert "secret" not in listed[0]


@pytest.mark.parametrize("role", [Role.OVERLAY, Role.VIEWER, Role.BOT, Role.MODERATOR])
async def test_nobody_but_the_broadcaster_may_send_events_elsewhere(
    http: httpx.AsyncClient, redis: store.Client, role: Role
) -> None:
    secret, _ = await Keys(redis).new(role, "mika")
    http.headers["Authorization"] = f"Bearer {secret}"
    assert (await http.get("/webhooks")).status_code == 403
    assert (await http.post("/webhooks", json={"url": URL})).status_code == 403
    assert await Webhooks(redis).all() == []


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://127.0.0.1/", "https://u:p@example.com/", "https://[::1]/", "javascript:1"]
)
async def test_a_target_inside_is_refused_with_what_is_wrong(owner: httpx.AsyncClient, url: str) -> None:
    answer = await owner.post("/webhooks", json={"url": url})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "webhook_refused")
    assert answer.json()["error"]["param"] == "url"


async def test_a_type_that_does_not_exist_is_refused(owner: httpx.AsyncClient) -> None:
    answer = await owner.post("/webhooks", json={"url": URL, "types": ["job.sung"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "request_invalid")


async def test_a_test_message_waits_in_the_outbox_until_a_worker_sends_it(owner: httpx.AsyncClient) -> None:
    hook_id = (await added(owner))["webhook_id"]
    answer = await owner.post(f"/webhooks/{hook_id}/test")
    assert answer.status_code == 202
    (delivery,) = (await owner.get(f"/webhooks/{hook_id}/deliveries")).json()["deliveries"]
    assert delivery["delivery_id"] == answer.json()["delivery_id"]
    assert (delivery["type"], delivery["state"], delivery["attempts"]) == ("webhook.test", "pending", 0)
    assert delivery["next_at"] is not None


async def test_a_dead_letter_is_sent_again_by_one_request(owner: httpx.AsyncClient, redis: store.Client) -> None:
    hook_id = str((await added(owner))["webhook_id"])
    registry = Webhooks(redis)
    message = await registry.test(hook_id)
    (taken,) = await registry.claim(hook_id, limit=1, lease_s=9)
    failed = message.model_copy(update={"attempts": 9, "outcome": "500"})
    await registry.settle(hook_id, taken, failed, state=DeliveryState.DEAD)
    (dead,) = (await owner.get(f"/webhooks/{hook_id}/deliveries")).json()["deliveries"]
    assert (dead["state"], dead["outcome"], dead["next_at"]) == ("dead", "500", None)
    answer = await owner.post(f"/webhooks/{hook_id}/deliveries/{message.id}/redeliver")
    assert answer.status_code == 202
    (again,) = (await owner.get(f"/webhooks/{hook_id}/deliveries")).json()["deliveries"]
    assert (again["state"], again["attempts"], again["delivery_id"]) == ("pending", 0, message.id)


async def test_a_webhook_that_is_off_is_switched_on_by_one_request(
    owner: httpx.AsyncClient, redis: store.Client
) -> None:
    hook_id = str((await added(owner))["webhook_id"])
    await redis.hset(store.WEBHOOK_PREFIX + hook_id, mapping={"disabled_at": "1.0", "disabled_for": "gone"})
    refused = await owner.post(f"/webhooks/{hook_id}/test")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "webhook_disabled")
    assert (await owner.post(f"/webhooks/{hook_id}/enable")).json()["disabled_at"] is None
    assert (await owner.post(f"/webhooks/{hook_id}/test")).status_code == 202


async def test_a_removed_webhook_is_gone_with_all_of_it(owner: httpx.AsyncClient, redis: store.Client) -> None:
    hook_id = (await added(owner))["webhook_id"]
    await owner.post(f"/webhooks/{hook_id}/test")
    assert (await owner.delete(f"/webhooks/{hook_id}")).status_code == 204
    assert [key async for key in redis.scan_iter("sakuga:webhook*")] == []
    for answer in (
        await owner.delete(f"/webhooks/{hook_id}"),
        await owner.post(f"/webhooks/{hook_id}/test"),
        await owner.get(f"/webhooks/{hook_id}/deliveries"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "webhook_not_found")


async def test_a_delivery_that_is_not_kept_is_told(owner: httpx.AsyncClient, studio: State) -> None:
    hook_id = (await added(owner))["webhook_id"]
    answer = await owner.post(f"/webhooks/{hook_id}/deliveries/msg_1/redeliver")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "delivery_not_found")
