"""The studio file as it is now: read again when it changes, so that a show need not be restarted."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from sakuga.catalog import Catalog
from sakuga.errors import StudioFileInvalid
from sakuga.log import get_logger

log = get_logger("studio")

LOOK_EVERY_S = 0.5


class StudioFile:
    """The last good state of a studio file. The first reading raises StudioFileInvalid; later ones keep what was."""

    def __init__(self, path: Path, clock: Callable[[], float] = monotonic) -> None:
        self._path = path
        self._clock = clock
        self._seen = self._stamp()
        self._catalog = Catalog.load(path)
        self._look_at = clock() + LOOK_EVERY_S
        self._problem: str | None = None

    @property
    def catalog(self) -> Catalog:
        """What the file says, or said when it was last right."""
        self.look()
        return self._catalog

    def look(self) -> str | None:
        """Look for a change, at most twice a second; return what is wrong with the file as it is now, as a sentence."""
        if self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_EVERY_S
            if (stamp := self._stamp()) != self._seen:
                self._seen = stamp
                self._read()
        return self._problem

    def _read(self) -> None:
        try:
            self._catalog = Catalog.load(self._path)
        except StudioFileInvalid as error:
            self._problem = f"{self._path.name}: {error.data['problem']}. What it said before holds until it is mended."
            log.warning("studio_file.refused", problem=self._problem)
        else:
            self._problem = None
            log.info("studio_file.reloaded", path=self._path.name)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)
