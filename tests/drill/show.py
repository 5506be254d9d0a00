"""The show: viewers who ask, and moderators who have their way with the queue, by HTTP and by the seed."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.fakes.keys import BEARER

VIEWERS = 60
ROLES = (("viewer", 70), ("subscriber", 20), ("vip", 6), ("moderator", 4))
WORDS = (("a girl with a sword", 84), ("doubtful", 6), ("forbidden", 2), ("it will break", 4), ("they vanish", 4))
GIVE_UP_S = 30.0
AGAIN_S = 0.2
PATIENCE_S = 5.0

ACTS = (
    *(("move", 20), ("credit", 8), ("lane", 5), ("hold", 6), ("approve", 14), ("reject", 4), ("cancel", 10)),
    *(("cancel_running", 6), ("retry", 6), ("undo", 6), ("pause", 3), ("resume", 6), ("ban", 2), ("unban", 4)),
    *(("ballot", 4), ("vote", 14), ("upvote", 12), ("session", 2), ("clear", 1), ("edit", 3), ("look", 6)),
)


@dataclass
class Seen:
    """What the clients saw: what the studio is held to."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Job id by idempotency key, for each 202."""
    broken_promises: list[str] = field(default_factory=list)
    """Keys that were answered with two different jobs."""
    answers: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)

    def accept(self, key: str, job_id: str) -> None:
        """Note a 202."""
        if self.accepted.setdefault(key, job_id) != job_id:
            self.broken_promises.append(key)


def chosen(dice: Random, table: Sequence[tuple[str, int]]) -> str:
    """Throw dice over a table of names and weights."""
    return dice.choices([name for name, _ in table], [weight for _, weight in table])[0]


class Show:
    """Runs until it is cancelled. `moderator` is the headers of a moderator's key."""

    def __init__(self, urls: Sequence[str], moderator: dict[str, str], dice: Random) -> None:
        self._dice = dice
        self._chat = [httpx.AsyncClient(base_url=url, trust_env=False, headers=BEARER) for url in urls]
        self._mods = [httpx.AsyncClient(base_url=url, trust_env=False, headers=moderator) for url in urls]
        for http in (*self._chat, *self._mods):
            http.timeout = httpx.Timeout(PATIENCE_S)
        self._asking: set[asyncio.Task[None]] = set()
        self._number = 0
        self._ended: list[str] = []
        self.seen = Seen()

    async def close(self) -> None:
        """Wait for the last answers, and hang up."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=GIVE_UP_S + PATIENCE_S)
        for http in (*self._chat, *self._mods):
            await http.aclose()

    async def chat(self, per_minute: float) -> None:
        """Ask so often, each viewer without waiting for the others."""
        while True:
            await asyncio.sleep(self._dice.expovariate(per_minute / 60))
            self._number += 1
            asking = asyncio.create_task(self._ask(f"message-{self._number}", self._request()))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)

    def _request(self) -> dict[str, Any]:
        number = self._dice.randrange(VIEWERS)
        role = chosen(Random(number), ROLES)  # the same person each time
        return {
            "prompt": f"{chosen(self._dice, WORDS)} {self._number}",
            "seed": self._dice.randrange(2**31),
            "requested_by": {
                "platform": "twitch",
                "id": str(1000 + number),
                "login": f"viewer{number}",
                "display_name": f"Viewer{number}",
                "roles": [] if role == "viewer" else [role],
                "bits": self._dice.choice((0, 0, 0, 0, 0, 0, 100, 500)),
            },
        }

    async def _ask(self, key: str, request: dict[str, Any]) -> None:
        """Ask as the bot does: over silence and breakdowns again, by the same key; now and then twice anyhow."""
        asks = 2 if self._dice.random() < 0.05 else 1
        until = asyncio.get_running_loop().time() + GIVE_UP_S
        while asyncio.get_running_loop().time() < until:
            try:
                answer = await self._dice.choice(self._chat).post(
                    "/generate", json=request, headers={"Idempotency-Key": key}
                )
            except httpx.HTTPError as error:
                self.seen.answers[type(error).__name__] += 1
                await asyncio.sleep(AGAIN_S)
                continue
            self.seen.answers[str(answer.status_code)] += 1
            if answer.status_code == httpx.codes.ACCEPTED:
                self.seen.accept(key, answer.json()["job_id"])
            elif answer.is_server_error:
                await asyncio.sleep(AGAIN_S)
                continue
            asks -= 1
            if not asks:
                return

    async def moderate(self, pause_s: float) -> None:
        """Do one act after the other; what fails because something was killed is not done again."""
        while True:
            await asyncio.sleep(self._dice.expovariate(1 / pause_s))
            act = chosen(self._dice, ACTS)
            try:
                status = await getattr(self, f"_{act}")(self._dice.choice(self._mods))
            except (httpx.HTTPError, ValueError, KeyError):  # an error's document has none of what is looked for
                status = 0
            self.seen.acts[f"{act} {'done' if 200 <= (status or 0) < 300 else 'not done'}"] += 1

    async def settle(self) -> None:
        """Have everything that waits drawn, so that the show comes to an end. Asks until it is done."""
        for method, path in (("POST", "/queue/resume"), ("POST", "/queue/drain")):
            await self._surely(method, path)
        for job in (await self._surely("GET", "/held"))["jobs"]:
            verdict = self._dice.choice(("approve", "reject"))
            await self._surely("POST", f"/jobs/{job['job_id']}/{verdict}", fine=(404, 409))

    async def _surely(self, method: str, path: str, fine: tuple[int, ...] = ()) -> Any:
        while True:
            with suppress(httpx.HTTPError):
                answer = await self._mods[0].request(method, path)
                if answer.is_success or answer.status_code in fine:
                    return answer.json()
            await asyncio.sleep(AGAIN_S)

    # --- acts: each returns the status of its answer, or None if there was nothing to do -----------------------------

    async def _one(self, http: httpx.AsyncClient, where: str = "waiting") -> str | None:
        jobs = (await http.get("/held")).json()["jobs"] if where == "held" else (await http.get("/queue")).json()[where]
        return self._dice.choice(jobs)["job_id"] if jobs else None

    async def _patched(self, http: httpx.AsyncClient, change: dict[str, Any]) -> int | None:
        job = await self._one(http)
        return (await http.patch(f"/jobs/{job}", json=change)).status_code if job else None

    async def _posted(self, http: httpx.AsyncClient, what: str, where: str = "waiting") -> int | None:
        job = await self._one(http, where)
        if job and what in {"cancel", "reject"}:
            self._ended.append(job)
        return (await http.post(f"/jobs/{job}/{what}")).status_code if job else None

    async def _move(self, http: httpx.AsyncClient) -> int | None:
        return await self._patched(http, {"position": self._dice.choice(["top", "bottom", 1, 2, 3, 5, 8])})

    async def _credit(self, http: httpx.AsyncClient) -> int | None:
        return await self._patched(http, {"credit_seconds": self._dice.choice([-60, -10, 5, 30, 120])})

    async def _lane(self, http: httpx.AsyncClient) -> int | None:
        return await self._patched(http, {"lane": self._dice.choice(["viewer", "sub", "vip", "mod"])})

    async def _edit(self, http: httpx.AsyncClient) -> int | None:
        return await self._patched(http, {"prompt": self._dice.choice(["a quiet lake", "something doubtful"])})

    async def _hold(self, http: httpx.AsyncClient) -> int | None:
        return await self._posted(http, "hold")

    async def _approve(self, http: httpx.AsyncClient) -> int | None:
        return await self._posted(http, "approve", "held")

    async def _reject(self, http: httpx.AsyncClient) -> int | None:
        return await self._posted(http, "reject", self._dice.choice(["held", "waiting"]))

    async def _cancel(self, http: httpx.AsyncClient) -> int | None:
        return await self._posted(http, "cancel")

    async def _cancel_running(self, http: httpx.AsyncClient) -> int | None:
        return await self._posted(http, "cancel", "running")

    async def _retry(self, http: httpx.AsyncClient) -> int | None:
        if not self._ended:
            return None
        return (await http.post(f"/jobs/{self._dice.choice(self._ended)}/retry")).status_code

    async def _undo(self, http: httpx.AsyncClient) -> int | None:
        acts = [act for act in (await http.get("/audit", params={"limit": 10})).json()["acts"] if act["undoable"]]
        return (await http.post(f"/audit/{acts[0]['act_id']}/undo")).status_code if acts else None

    async def _pause(self, http: httpx.AsyncClient) -> int:
        status = (await http.post("/queue/pause")).status_code
        await asyncio.sleep(self._dice.uniform(0.2, 2))
        await http.post("/queue/resume")
        return status

    async def _resume(self, http: httpx.AsyncClient) -> int:
        return (await http.post(self._dice.choice(["/queue/resume", "/queue/open"]))).status_code

    async def _ban(self, http: httpx.AsyncClient) -> int:
        viewer = f"twitch:{1000 + self._dice.randrange(VIEWERS)}"
        return (await http.post("/bans", json={"viewer": viewer, "minutes": 0.2})).status_code

    async def _unban(self, http: httpx.AsyncClient) -> int | None:
        bans = (await http.get("/bans")).json()["bans"]
        return (await http.delete(f"/bans/{bans[0]['viewer']}")).status_code if bans else None

    async def _ballot(self, http: httpx.AsyncClient) -> int:
        return (await http.post("/ballots")).status_code

    async def _vote(self, http: httpx.AsyncClient) -> int:
        viewer, choice = f"twitch:{self._dice.randrange(500)}", str(self._dice.randint(1, 3))
        return (await http.post("/votes", json={"viewer": viewer, "choice": choice})).status_code

    async def _upvote(self, http: httpx.AsyncClient) -> int | None:
        job = await self._one(http)
        viewer = f"twitch:{self._dice.randrange(500)}"
        return (await http.post(f"/jobs/{job}/upvote", json={"viewer": viewer})).status_code if job else None

    async def _session(self, http: httpx.AsyncClient) -> int:
        return (await http.post(self._dice.choice(["/session/begin", "/session/end"]))).status_code

    async def _clear(self, http: httpx.AsyncClient) -> int:
        return (await http.post("/queue/clear")).status_code

    async def _look(self, http: httpx.AsyncClient) -> int:
        return (await http.get("/stage")).status_code
