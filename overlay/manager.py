"""The stage manager: the one owner of what is on air."""

import asyncio
from datetime import datetime, timedelta
from time import monotonic

from overlay.playlist import Cue, next_cue
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.gateway import Gateway
from sakuga.log import get_logger
from sakuga.stage import StageState

log = get_logger("stage")

EVERY_S = 0.5
ALIVE_EVERY_S = 3.0  # the gateway takes us for gone after ten
AWAY_S = 5.0  # longest pause between tries while the gateway is away
CLIPS = 50  # in the rotation


class StageManager:
    """Looks at the stage twice a second and changes it when the playlist says so."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._server_time: datetime | None = None
        self._read_at = 0.0
        self._told_at = 0.0

    async def run(self) -> None:
        """Manage for ever; a gateway that is away is waited for."""
        pause_s = EVERY_S
        while True:
            try:
                await self.step()
                pause_s = EVERY_S
            except (GatewayUnreachable, GatewayRefused) as error:
                if pause_s == EVERY_S and self._server_time:  # not while it is still starting
                    log.warning("gateway.lost", reason=error.code)
                pause_s = min(AWAY_S, pause_s * 2)
            await asyncio.sleep(pause_s)

    async def step(self) -> None:
        """Look once and act."""
        stage = await self._gateway.stage()
        if stage.server_time != self._server_time:
            self._server_time, self._read_at = stage.server_time, monotonic()
        now = stage.server_time + timedelta(seconds=monotonic() - self._read_at)
        clips = (await self._gateway.clips(limit=CLIPS)).clips
        cue = next_cue(stage, clips, now)
        stays = cue == Cue(stage.state, stage.clip.clip_id if stage.clip else None)
        if stays and monotonic() - self._told_at < ALIVE_EVERY_S:
            return
        await self._gateway.put_stage(cue.state, clip_id=cue.clip_id, seconds=cue.seconds)
        self._told_at = monotonic()
        if not stays:
            tell = log.info if cue.state is StageState.RESULT else log.debug
            tell("stage.changed", state=cue.state, clip_id=cue.clip_id)
