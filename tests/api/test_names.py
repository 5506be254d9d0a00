"""Viewers of whom only a name is known: whatever it is written in, they may ask, alone and together."""

import httpx
import pytest

from api import pot
from api.state import State
from sakuga import store
from sakuga.catalog import Catalog

NAMES = pytest.mark.parametrize("login", ["ミカ", "Jo Hn", "a/b", "İ" * 64, "mika"])


def named(login: str) -> dict[str, str]:
    return {"platform": "youtube", "login": login, "display_name": "Mika"}


@NAMES
async def test_a_pot_of_one_viewer_is_theirs(
    http: httpx.AsyncClient, studio: State, redis: store.Client, login: str
) -> None:
    answer = await http.post("/pot", json={"words": "a cat", "requested_by": named(login)})
    assert answer.status_code == 200, answer.text
    await redis.hset(store.POT, mapping={"closes_at": "1", "again": "1"})
    job = await pot.pour(studio)
    assert job is not None
    assert job.viewer.startswith("youtube:")


@NAMES
async def test_a_name_that_may_not_be_shown_is_still_one_viewers(
    http: httpx.AsyncClient, studio: State, login: str
) -> None:
    studio.file._catalog = Catalog.model_validate({"gate": {"hold": [login[:20]]}, "limits": {"double_s": 0}})
    asked = [
        await http.post("/generate", json={"prompt": prompt, "requested_by": named(login)}) for prompt in ("cat", "dog")
    ]
    assert [answer.status_code for answer in asked] == [202, 429]
    who = (await http.get(asked[0].json()["status_url"])).json()["requested_by"]
    assert who["display_name"] == "somebody"
