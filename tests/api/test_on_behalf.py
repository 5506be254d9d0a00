"""A key that says for whom it acts: the bot does what moderators write in chat."""

import httpx
import pytest

from api.door import ON_BEHALF
from sakuga import store
from sakuga.audit import Audit
from sakuga.queue import Queue
from tests.fakes.jobs import submitted

ALICE = {ON_BEHALF: "twitch:alice"}


async def test_the_audit_names_the_moderator_in_chat_and_the_key_that_spoke(
    moderator: httpx.AsyncClient, redis: store.Client
) -> None:
    assert (await moderator.post("/queue/pause", headers=ALICE)).status_code == 200
    assert (await moderator.post("/queue/resume")).status_code == 200
    assert [entry.act.by for entry in await Audit(redis).latest()] == ["alice", "twitch:alice via alice"]


async def test_the_longest_names_fit_into_acts_and_credits(moderator: httpx.AsyncClient, redis: store.Client) -> None:
    job = await submitted(Queue(redis))
    longest = {ON_BEHALF: f"{'p' * 10}:{'x' * 40}"}
    answer = await moderator.patch(f"/jobs/{job.id}", json={"position": 1, "credit_seconds": None}, headers=longest)
    assert answer.status_code == 200
    assert (await moderator.patch(f"/jobs/{job.id}", json={"credit_seconds": 60}, headers=longest)).status_code == 200


async def test_the_header_gives_no_right_that_the_key_has_not(http: httpx.AsyncClient) -> None:
    for headers in ({}, ALICE):
        answer = await http.post("/queue/pause", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    answer = await http.put("/stage", json={"state": "idle"}, headers=ALICE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("person", ["alice", "twitch:", "twitch:a b", "twitch:alice via bob", "x" * 80, "t:a\u202e"])
async def test_what_is_nobodys_name_is_refused(moderator: httpx.AsyncClient, redis: store.Client, person: str) -> None:
    answer = await moderator.post("/queue/pause", headers={ON_BEHALF: person.encode()})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "request_invalid")
    assert await Audit(redis).latest() == []
