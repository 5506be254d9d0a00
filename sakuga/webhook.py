"""A webhook: an address that wants to hear of events, and the messages that are sent to it."""

import base64
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from ulid import ULID

from sakuga.event import EventType
from sakuga.job import cut

BACK_OFF_S = (5.0, 30.0, 120.0, 600.0, 3600.0, 3 * 3600.0, 8 * 3600.0, 24 * 3600.0)
JITTER = 0.2  # of each pause, so that receivers that failed together are not all tried together
TEST = "webhook.test"  # of a message that nothing happened for
SECRET_BYTES = 32


class DeliveryState(StrEnum):
    """Where a message is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Webhook(BaseModel):
    """An address with what it wants to hear. Times are seconds since 1970 by the broker's clock."""

    model_config = ConfigDict(frozen=True)

    id: str
    url: str
    types: list[str] = Field(default_factory=list)  # none: all but job.progressed
    prompts: bool = False
    secret: SecretStr  # it signs, so it can't be stored hashed
    by: str = ""
    created_at: float
    failing_since: float | None = None
    disabled_at: float | None = None
    disabled_for: str = ""

    def wants(self, kind: str, happened_at: float) -> bool:
        """Whether it is to hear of an event of this type that happened then."""
        added_at = int(self.created_at * 1000) / 1000  # an event's time has milliseconds
        if self.disabled_at is not None or happened_at < added_at:
            return False
        return kind in self.types if self.types else kind != EventType.JOB_PROGRESSED


class Message(BaseModel):
    """One message to one webhook. Its id and its body are the same at every attempt.

    `outcome` is how the last attempt ended: an HTTP status, or a word such as `timeout`.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    type: str
    body: str
    written_at: float
    attempts: int = 0
    tried_at: float | None = None
    took_ms: int | None = None
    outcome: str = ""


def new_secret() -> SecretStr:
    """Return a fresh secret in the form of Standard Webhooks: `whsec_` and base64."""
    return SecretStr("whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())


def signing(secret: SecretStr) -> SecretStr:
    """Return a secret that can sign. Raises ValueError for one of another form than `new_secret` makes."""
    text = secret.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not text.startswith("whsec_") or not 24 <= len(key) <= 64:  # noqa: PLR2004 - as Standard Webhooks has it
        msg = "should be whsec_ and the base64 of 24 to 64 bytes"
        raise ValueError(msg)
    return secret


def new_webhook_id() -> str:
    """Return a fresh id of a webhook."""
    return f"hook_{ULID()}"


def message_id(event_id: str, webhook_id: str) -> str:
    """Return the id of the message that tells a webhook of an event: the same whoever writes it, however often."""
    return f"msg_{event_id}_{webhook_id.removeprefix('hook_')}"


def happened_at(event_id: str) -> float:
    """Return when an event happened, in seconds since 1970 by the broker's clock, as its id in the log says."""
    return int(event_id.partition("-")[0]) / 1000


def body(kind: str, at: float, data: Mapping[str, Any]) -> str:
    """Return the JSON that a receiver reads: type, timestamp (UTC, RFC 3339) and data."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Payload(type=kind, timestamp=moment, data=dict(data)).model_dump_json()


class Payload(BaseModel):
    """What a receiver reads."""

    type: str = Field(description="An event's type, or `webhook.test`.", examples=["clip.ready"])
    timestamp: str = Field(description="When it happened, UTC, RFC 3339.", examples=["2026-11-20T06:00:00.123Z"])
    data: dict[str, Any] = Field(description="The event's data, and of its job: cut, status and links.")


def told(
    data: Mapping[str, Any], job: Mapping[str, str | None], *, base_url: str, prompts: bool = False
) -> dict[str, Any]:
    """Return an event's data with what a receiver would ask for next: cut, status and links.

    Links begin with `base_url`. `job` holds status, clip_id, prompt and held_for as they are stored; empty for an event
    without a job. The prompt is only told with `prompts`: it is a viewer's text, which leaves the studio here. That of
    a job that a moderator has not let through is never told.
    """
    found = dict(data)
    if (number := data.get("number")) is not None:
        found["cut"] = cut(int(number))
    if (job_id := data.get("job_id")) and job.get("status"):
        found |= {"status": job["status"], "status_url": f"{base_url}/status/{job_id}"}
        if prompts:
            unseen = job.get("held_for") or job["status"] in {"held", "rejected"}
            found["prompt"] = "" if unseen else job.get("prompt") or ""
    if clip_id := data.get("clip_id") or job.get("clip_id"):
        clip = f"{base_url}/clips/{clip_id}"
        found |= {"clip_id": clip_id, "video_url": f"{clip}/video", "poster_url": f"{clip}/poster"}
    return found
