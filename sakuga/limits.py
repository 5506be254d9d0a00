"""Limits: how much the studio takes in, from whom, and for how long it waits."""

from pydantic import BaseModel, ConfigDict, Field

from sakuga.lane import Lane


class PerLane(BaseModel):
    """One number for each lane."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    viewer: int = Field(ge=0, le=86400)
    sub: int = Field(ge=0, le=86400)
    vip: int = Field(ge=0, le=86400)
    bits: int = Field(ge=0, le=86400)
    mod: int = Field(ge=0, le=86400)

    def of(self, lane: Lane) -> int:
        """Return the number of a lane."""
        return int(getattr(self, lane.value))


class Cooldown(PerLane):
    """Seconds between two requests of one viewer."""

    viewer: int = Field(default=30, ge=0, le=86400, description="Seconds between two requests of a viewer.")
    sub: int = Field(default=15, ge=0, le=86400, description="The same for subs and founders.")
    vip: int = Field(default=15, ge=0, le=86400, description="The same for VIPs.")
    bits: int = Field(default=0, ge=0, le=86400, description="The same for requests with bits.")
    mod: int = Field(default=0, ge=0, le=86400, description="The same for moderators and the broadcaster.")


class Active(PerLane):
    """Jobs of one viewer that wait or are drawn at a time."""

    viewer: int = Field(default=1, ge=1, le=1000, description="Jobs that a viewer may have waiting or in work.")
    sub: int = Field(default=2, ge=1, le=1000, description="The same for subs and founders.")
    vip: int = Field(default=2, ge=1, le=1000, description="The same for VIPs.")
    bits: int = Field(default=3, ge=1, le=1000, description="The same for requests with bits.")
    mod: int = Field(default=15, ge=1, le=1000, description="The same for moderators and the broadcaster.")


class Limits(BaseModel):
    """The table ``[limits]`` of the studio file. The broker remembers who did what: it survives restarts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt_length: int = Field(default=300, ge=10, le=2000, description="Characters in a prompt.")
    waiting: int = Field(default=10, ge=1, le=100_000, description="Jobs that may wait.")
    paid_places: int = Field(
        default=5, ge=0, le=100_000, description="Further jobs that may wait, of subs, with bits, and of moderators."
    )
    expire_s: int = Field(
        default=1800, ge=0, le=86400, description="Seconds after which a job that has not started expires; 0 is never."
    )
    double_s: int = Field(
        default=10,
        ge=0,
        le=3600,
        description="Seconds in which the same request, sent twice without an Idempotency-Key, is one job.",
    )
    cooldown: Cooldown = Cooldown()
    active: Active = Active()
