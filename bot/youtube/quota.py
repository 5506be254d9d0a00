"""The quota: the units of YouTube's API that a day has, and how fast they may go."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sakuga.log import get_logger

# What calls cost. https://developers.google.com/youtube/v3/determine_quota_cost, and the pages of the methods.
LOOK_UP = 1
READ = 5
SPEAK = 20
SPEAKING_SHARE = 0.4
"""Of a day's units, for answers: what is heard matters more."""
RESERVE_SHARE = 0.1
"""Of a day's units, kept for the hours after those that the streamer plans."""
LAST_HOURS = 1.0
"""Towards the end of the planned hours, what is left is spread over this many more."""

log = get_logger("bot")


def pacific() -> tzinfo:
    """Return the zone in which YouTube counts days; where this machine knows no zones, the winter time of it."""
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=-8))


@dataclass(slots=True)
class Spent:
    """What one day took: units in all, those of answers, and the seconds in which the chat was read."""

    day: str
    units: int = 0
    speaking: int = 0
    listened_s: float = 0.0


class Quota:
    """Counts a day's units in a file, so that a restart forgets none, and paces the reading so that they last.

    A day ends at midnight in California. Over the hours that are planned the pace is even; after them it slows down,
    and the reserve then lasts until the day ends.
    """

    def __init__(self, path: Path, limit: int, *, now: Callable[[], datetime]) -> None:
        self.limit = limit
        self._path = path
        self._now = now
        self._zone = pacific()
        self._spent = self._kept()

    @property
    def used(self) -> int:
        """Units of this day that are gone."""
        return self._today().units

    @property
    def left(self) -> int:
        """Units of this day that are left."""
        return max(0, self.limit - self.used)

    @property
    def resets_at(self) -> datetime:
        """When the day ends, in UTC."""
        today = self._now().astimezone(self._zone).date()
        midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), tzinfo=self._zone)
        return midnight.astimezone(UTC)

    @property
    def resets_in_s(self) -> float:
        """Seconds until the day ends."""
        return (self.resets_at - self._now()).total_seconds()

    def take(self, units: int) -> bool:
        """Count a call before it is made, and return whether the day has that many units left."""
        spent = self._today()
        if spent.units + units > self.limit:
            return False
        spent.units += units
        self._keep()
        return True

    def take_for_speaking(self) -> bool:
        """Count an answer before it is sent, and return whether there is room for it among the day's answers."""
        spent = self._today()
        if spent.speaking + SPEAK > self.limit * SPEAKING_SHARE or not self.take(SPEAK):
            return False
        spent.speaking += SPEAK
        self._keep()
        return True

    def exhaust(self) -> None:
        """Count the day as used up: YouTube says so, perhaps because others use the same key."""
        spent = self._today()
        spent.units = max(spent.units, self.limit)
        self._keep()

    def listened(self, seconds: float) -> None:
        """Count time in which the chat was read; kept with the next call."""
        self._today().listened_s += seconds

    def pause_s(self, hours: float) -> float:
        """Return the seconds from one reading to the next, so that the units last for `hours` of stream a day."""
        left = self.left
        if left < READ:
            return self.resets_in_s
        evenly_s = self.resets_in_s * READ / left
        free = left - self.limit * RESERVE_SHARE
        if free < READ:
            return evenly_s
        ahead_s = max(hours * 3600 - self._today().listened_s, LAST_HOURS * 3600)
        return min(evenly_s, ahead_s * READ / free)

    def _today(self) -> Spent:
        day = self._now().astimezone(self._zone).date().isoformat()
        if self._spent.day != day:
            self._spent = Spent(day)
        return self._spent

    def _keep(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(self._spent)), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:  # a full disk is no reason to hear nothing
            log.warning("quota.not_kept", path=str(self._path), error=type(error).__name__)

    def _kept(self) -> Spent:
        try:
            spent = Spent(**json.loads(self._path.read_text(encoding="utf-8")))
            return Spent(str(spent.day), int(spent.units), int(spent.speaking), float(spent.listened_s))
        except FileNotFoundError:
            return Spent("")
        except (OSError, ValueError, TypeError) as error:
            log.warning("quota.unreadable", path=str(self._path), error=type(error).__name__)
            return Spent("")
