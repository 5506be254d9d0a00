"""A studio whose GPUs are rented: through every process of ours, to a fake Modal."""

import asyncio
from pathlib import Path
from time import monotonic

from sakuga import store
from sakuga.engine import MODAL_CLAIMS
from sakuga.queue import Queue
from tests.fakes.modal import FakeModal
from tests.fakes.modal_gpu import obey
from tests.journeys.conftest import Studio

LEASE_S = 2
TAKEN_OVER_S = 60  # as in test_crashes: a busy machine takes its time


def rented(folder: Path, fake: FakeModal) -> Studio:
    studio = Studio(folder, renderer="modal", engines="rehearsal", lease=LEASE_S, bot=False)
    studio._environ |= fake.environ
    return studio


async def test_a_worker_killed_in_a_rented_render_costs_no_attempt_and_no_second_call(tmp_path: Path) -> None:
    # Given a job that is drawn at Modal
    async with FakeModal({"Rehearsal.render": obey}) as fake, rented(tmp_path, fake) as studio:
        job = await studio.ask()
        call = await fake.called()
        call.orders.put(0.4)
        await studio.polled(job["status_url"], lambda answer: answer["progress"] == 40)

        # When the worker is killed, and the render goes on meanwhile
        studio.process("worker").kill()
        killed = monotonic()
        call.orders.put(0.7)

        # Then another one sees what happened since, and the job succeeds as it was begun
        await studio.polled(job["status_url"], lambda answer: answer["progress"] == 70)
        call.orders.put("end")
        answers = await studio.until(job["job_id"], "succeeded")
        assert monotonic() - killed < TAKEN_OVER_S
        assert answers[-1]["attempt"] == 1
        assert len(fake.calls) == 1

        # And the clip plays, and Modal is left as it was found
        (clip,) = (await studio.http.get("/clips")).json()["clips"]
        assert clip["renderer"] == "modal"
        assert (await studio.http.get(answers[-1]["video_url"])).content[4:8] == b"ftyp"
        await fake.until(lambda: not fake.kept(MODAL_CLAIMS))


async def test_a_clip_that_is_cancelled_while_no_worker_lives_is_not_drawn_to_its_end(tmp_path: Path) -> None:
    # Given a job that is drawn at Modal, and a worker that is killed meanwhile
    async with FakeModal({"Rehearsal.render": obey}) as fake, rented(tmp_path, fake) as studio:
        job = await studio.ask()
        call = await fake.called()
        call.orders.put(0.4)
        await studio.polled(job["status_url"], lambda answer: answer["progress"] == 40)
        studio.process("worker").kill()

        # When its viewer takes it back before another worker is there
        redis = store.connect(studio.settings.broker_url)
        assert await Queue(redis).cancel(job["job_id"]) == "cancelling"
        await redis.aclose()

        # Then the job ends, and so does what would be paid for
        await studio.until(job["job_id"], "cancelled")
        async with asyncio.timeout(TAKEN_OVER_S):
            await asyncio.wait([call.end])
        assert call.cancels == [False]
