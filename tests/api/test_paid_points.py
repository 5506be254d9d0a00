"""Channel points, as the bot tells of them to the gateway and asks for them."""

from typing import Any

import httpx
import pytest

from api.state import State
from sakuga import store
from sakuga.role import Role
from tests.fakes.customers import brought_to_end
from tests.fakes.jobs import MIKA
from tests.fakes.keys import bearer

VIEWER = MIKA.model_dump()
REDEMPTION = {"platform": "twitch", "id": "red-1", "reward_id": "rew-1", "cost": 500}
REFUSAL = {"reward_id": "rew-1", "viewer": "twitch:3000", "name": "Mika", "cost": 500, "reason": "queue_full"}


async def redeem(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    asked = {"prompt": "robot cat", "requested_by": VIEWER, "redemption": {**REDEMPTION, **changes}}
    return await http.post("/generate", json=asked)


async def standing(http: httpx.AsyncClient, redemption_id: str = "red-1") -> tuple[str, str | None]:
    document = (await http.get(f"/redemptions/twitch/{redemption_id}")).json()
    return document["state"], document["outcome"]


async def test_points_are_held_by_their_job_and_due_once_there_is_a_clip(
    http: httpx.AsyncClient, studio: State
) -> None:
    job_id = (await redeem(http)).json()["job_id"]
    assert await standing(http) == ("held", None)
    (held,) = (await http.get("/redemptions?state=held")).json()["redemptions"]
    assert (held["job_id"], held["viewer"], held["name"], held["cost"]) == (job_id, "twitch:3000", "Mika", 500)
    await brought_to_end(studio.redis, job_id, made=True)
    (due,) = (await http.get("/redemptions")).json()["redemptions"]
    assert (due["redemption_id"], due["reward_id"], due["outcome"], due["reason"]) == (
        "red-1",
        "rew-1",
        "fulfilled",
        "",
    )
    assert (await http.get("/redemptions?state=held")).json()["redemptions"] == []


async def test_points_of_a_failed_job_are_owed_to_the_viewer_with_the_reason(
    http: httpx.AsyncClient, studio: State
) -> None:
    await brought_to_end(studio.redis, (await redeem(http)).json()["job_id"], made=False)
    document = (await http.get("/redemptions/twitch/red-1")).json()
    assert (document["state"], document["outcome"], document["reason"]) == ("due", "refunded", "render_failed")


@pytest.mark.parametrize("how", ["cancel", "reject"])
async def test_points_of_a_job_that_a_moderator_ends_are_owed_to_the_viewer(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient, how: str
) -> None:
    job_id = (await redeem(http)).json()["job_id"]
    assert (await moderator.post(f"/jobs/{job_id}/{how}")).is_success
    assert await standing(http) == ("due", "refunded")


async def test_what_the_platform_was_told_first_stays(http: httpx.AsyncClient, studio: State) -> None:
    await brought_to_end(studio.redis, (await redeem(http)).json()["job_id"], made=False)
    for outcome in ("refunded", "refunded", "fulfilled"):
        answer = await http.post("/redemptions/twitch/red-1/settled", json={"outcome": outcome})
        assert (answer.json()["state"], answer.json()["outcome"]) == ("settled", "refunded")
    assert (await http.get("/redemptions?state=due")).json()["redemptions"] == []
    (settled,) = (await http.get("/redemptions?state=settled")).json()["redemptions"]
    assert settled["reason"] == "render_failed"


async def test_points_that_the_streamer_settled_by_hand_are_not_settled_again_at_the_jobs_end(
    http: httpx.AsyncClient, studio: State
) -> None:
    job_id = (await redeem(http)).json()["job_id"]
    await http.post("/redemptions/twitch/red-1/settled", json={"outcome": "refunded"})
    await brought_to_end(studio.redis, job_id, made=True)
    assert await standing(http) == ("settled", "refunded")


async def test_a_refused_request_is_owed_its_points_once(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        answer = await http.post("/redemptions/twitch/red-1/refund", json=REFUSAL)
        assert answer.status_code == 200
        assert (answer.json()["state"], answer.json()["outcome"]) == ("due", "refunded")
    (due,) = (await http.get("/redemptions?state=due")).json()["redemptions"]
    assert (due["reason"], due["job_id"], due["name"]) == ("queue_full", None, "Mika")


async def test_points_that_a_job_holds_are_not_given_back_by_a_refusal(http: httpx.AsyncClient) -> None:
    await redeem(http)
    answer = await http.post("/redemptions/twitch/red-1/refund", json=REFUSAL)
    assert (answer.json()["state"], answer.json()["outcome"]) == ("held", None)


async def test_one_redemption_is_one_job_whatever_the_key(http: httpx.AsyncClient) -> None:
    first = await redeem(http)
    again = await http.post(
        "/generate",
        json={"prompt": "another", "requested_by": VIEWER, "redemption": REDEMPTION},
        headers={"Idempotency-Key": "other"},
    )
    assert again.json()["job_id"] == first.json()["job_id"]
    assert (await http.get("/queue")).json()["waiting_count"] == 1


async def test_points_that_were_given_back_buy_nothing(http: httpx.AsyncClient) -> None:
    await http.post("/redemptions/twitch/red-1/refund", json=REFUSAL)
    answer = await redeem(http)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "redemption_spent")


async def test_a_request_that_is_refused_holds_no_points(http: httpx.AsyncClient, moderator: httpx.AsyncClient) -> None:
    await moderator.post("/queue/close")
    assert (await redeem(http)).status_code == 503
    assert (await http.get("/redemptions/twitch/red-1")).status_code == 404


async def test_an_unknown_redemption_is_not_settled(http: httpx.AsyncClient) -> None:
    answer = await http.post("/redemptions/twitch/none/settled", json={"outcome": "refunded"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "redemption_not_found")


async def test_a_viewers_key_can_not_say_that_it_spent_points(http: httpx.AsyncClient, redis: store.Client) -> None:
    answer = await http.post(
        "/generate", json={"prompt": "cat", "redemption": REDEMPTION}, headers=await bearer(redis, Role.VIEWER)
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
