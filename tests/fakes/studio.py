"""FakeStudio: what a gateway knows, written by a test as the documents of the HTTP contract."""

from datetime import UTC, datetime, timedelta
from typing import Any

NOON = datetime(2026, 11, 20, 14, 3, tzinfo=UTC)


class FakeStudio:
    """A studio that nobody works in: jobs wait, cook and end when a test says so."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, as a studio that has just opened."""
        self.waiting: list[dict[str, Any]] = []
        self.running: list[dict[str, Any]] = []
        self.ended: dict[str, dict[str, Any]] = {}
        self.clips: list[dict[str, Any]] = []
        self.on_air: tuple[str, dict[str, Any] | None, datetime] = ("idle", None, datetime.now(UTC))
        self.paused = False
        self.refusal: tuple[int, str, str] | None = None
        self.trouble: tuple[int, str, str] | None = None
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.requests: list[str] = []
        self.number = 40
        self.role: str | None = "broadcaster"
        self.health = {
            "status": "healthy",
            "version": "0.1.0",
            "broker": {"status": "up", "kind": "embedded", "detail": ""},
            "worker": {"status": "up", "count": 1, "busy": 1, "slots": 1},
            "renderer": {"status": "up", "name": "rehearsal", "model": "no model", "gpu": None, "warm": True},
            "stage": {"status": "up"},
            "storage": {"status": "up"},
        }

    def job(self, prompt: str, name: str, **fields: Any) -> dict[str, Any]:
        """Write a job document with the next cut number."""
        self.number += 1
        return {
            "job_id": f"job_{self.number:026d}",
            "number": self.number,
            "cut": f"C-{self.number:03d}",
            "status": "queued",
            "stage": "waiting",
            "progress": 0.0,
            "queue_position": None,
            "eta_seconds": None,
            "prompt": prompt,
            "style": "neon",
            "engine": "rehearsal",
            "seed": 7 * self.number,
            "lane": "viewer",
            "credits": [],
            "requested_by": {"platform": "twitch", "login": name.lower(), "display_name": name},
            "requested_at": (NOON + timedelta(minutes=self.number - 40)).isoformat(),
            "attempt": 1,
            "preview_url": None,
            "video_url": None,
            "poster_url": None,
            "clip_id": None,
            "duration": None,
            "resolution": None,
            "error": None,
            "poll_after_ms": 500,
            **fields,
        }

    def cook(self, prompt: str = "girl with sword, neon rain", name: str = "Mika", **fields: Any) -> dict[str, Any]:
        """Lay a job on the desk, 58 % drawn."""
        drawn = {"status": "rendering", "stage": "denoise", "progress": 58.0, "eta_seconds": 14}
        self.running = [self.job(prompt, name, **(drawn | fields))]
        return self.running[0]

    def clip(self, prompt: str, name: str, **fields: Any) -> dict[str, Any]:
        """Write a clip document with the next cut number and put it at the front of the gallery."""
        self.number += 1
        clip_id = f"clip_{self.number:026d}"
        clip = {
            "clip_id": clip_id,
            "job_id": f"job_{self.number:026d}",
            "number": self.number,
            "cut": f"C-{self.number:03d}",
            "prompt": prompt,
            "style": "neon",
            "engine": "rehearsal",
            "renderer": "rehearsal",
            "seed": 7 * self.number,
            "requested_by": {"platform": "twitch", "login": name.lower(), "display_name": name},
            "video_url": f"/clips/{clip_id}/video",
            "poster_url": f"/clips/{clip_id}/poster",
            "duration": 2.0,
            "resolution": "832x480",
            "width": 832,
            "height": 480,
            "fps": 16,
            "bytes": 420_000,
            "render_seconds": 6.4,
            "attempt": 1,
            "finished_at": (NOON + timedelta(minutes=self.number)).isoformat(),
            **fields,
        }
        self.clips.insert(0, clip)
        return clip

    def play(self, clip: dict[str, Any], state: str = "result") -> None:
        """Put a clip on air from now on."""
        self.on_air = (state, clip, datetime.now(UTC))

    def waits(self) -> list[dict[str, Any]]:
        """Return the waiting jobs with their places, and a wait for those that have none."""
        for place, job in enumerate(self.waiting, start=1):
            job.update(queue_position=place, eta_seconds=job["eta_seconds"] or 14 * place)
        return self.waiting
