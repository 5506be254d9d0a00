"""How the worker process is put together."""

from datetime import timedelta
from pathlib import Path

from sakuga import store
from sakuga.settings import Settings
from sakuga.studio_file import StudioFile
from tests.fakes.renderer import SPEC, PuppetRenderer
from worker.__main__ import open_worker


async def test_each_attempt_of_a_job_has_time_to_wait_for_a_gpu_as_well_as_to_draw(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path, render_timeout=timedelta(minutes=1), render_attempts=3)
    redis = store.connect("redis://localhost")
    file = StudioFile(tmp_path / "studio.toml")
    worker = open_worker(settings, "worker_1", redis, PuppetRenderer(tmp_path), [SPEC], file=file)
    longest = 3 * (settings.render_timeout + settings.render_timeout)
    assert worker.job_timeout_s > longest.total_seconds()
    await worker.pool.aclose()
    await redis.aclose()
