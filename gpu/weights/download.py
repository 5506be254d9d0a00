"""Downloads: weights come from the Hub, several files at once, and go on where they were interrupted.

The Hub's own client deletes what it has of a file when it is interrupted, which costs gigabytes on a slow line:
https://github.com/huggingface/huggingface_hub/pull/4228. So the bytes are brought here, into the layout of its cache.
"""

import errno
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from gpu import weights
from gpu.weights import layout
from gpu.weights.hub import Hub, RemoteFile
from sakuga.engine import GIGABYTE, Source
from sakuga.errors import SpaceExhausted, WeightsUnreachable

CONNECTIONS = 8
TOLD_EVERY_S = 0.5
MEASURABLE_S = 2.0
"""After so many seconds the time left is taken from the speed so far."""

MARGIN_BYTES = 2 * GIGABYTE
"""What must stay free: a full disk stops more than a download."""

SHA256_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Arriving:
    """How far a download is. What was there before counts as done."""

    file: str
    done_bytes: int
    total_bytes: int
    seconds_left: float | None = None


class Download:
    """What is missing of some weights. Iterating brings it and tells how far it is; stopping keeps what arrived."""

    def __init__(self, engine: str, wanted: Iterable[Source], folder: Path, endpoint: str | None = None) -> None:
        self.engine = engine
        self.folder = folder
        self._hub = Hub(endpoint)
        self._wanted = tuple(wanted)
        self._pins: dict[Source, str] = {}
        asked = {file: None for source in self._wanted for file in self._asked(source)}
        self._files: dict[Path, list[RemoteFile]] = {}  # by blob: the same bytes may have several names
        for file in sorted(asked, key=lambda file: file.size):  # whole once the last, largest is there
            self._files.setdefault(self._blob(file), []).append(file)
        self.total_bytes = sum(files[0].size for files in self._files.values())
        self.missing_bytes = self._missing()
        self.free_bytes = _free(folder)
        if self.missing_bytes and self.free_bytes is not None and self.missing_bytes + MARGIN_BYTES > self.free_bytes:
            raise self._too_large()
        self._done = self.total_bytes - self.missing_bytes
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._latest = ""

    def __iter__(self) -> Iterator[Arriving]:
        """Bring everything. Raises SpaceExhausted, WeightsUnreachable."""
        with ExitStack() as held:
            for repository in sorted({file.repository for files in self._files.values() for file in files}):
                held.enter_context(self._alone(repository))
            for source, commit in self._pins.items():
                self._keep(source, commit)
            crew = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="download")
            held.callback(crew.shutdown, cancel_futures=True)
            held.callback(self._stopping.set)  # comes first: callbacks are called from the last to the first
            began, before = time.monotonic(), self._done
            yield self._arriving(began, before)
            under_way = {crew.submit(self._bring, *each) for each in self._files.items()}
            while under_way:
                ended, under_way = wait(under_way, TOLD_EVERY_S, FIRST_COMPLETED)
                for each in ended:
                    each.result()
                yield self._arriving(began, before)
        self._check()

    def _asked(self, source: Source) -> list[RemoteFile]:
        """Return the files of a source, from the Hub. Those that lie here whole are not asked for."""
        if weights.lying(source, self.folder):
            return []
        pin = weights.pin(source, self.folder)
        there = self._hub.listing(source.repository, pin or source.revision or "main")
        index = None
        if layout.INDEX in there and not source.file:
            index = layout.read_index(self._hub.text(there[layout.INDEX]))
        names = layout.needed(there, index, source.file)
        if not names or not layout.whole(there, index, source.file):
            what = source.file or "weights as diffusers loads them, in safetensors"
            raise WeightsUnreachable(repository=source.repository, reason=f"it does not hold {what}")
        if pin is None:
            self._pins[source] = there[names[0]].commit
        return [there[name] for name in names]

    def _keep(self, source: Source, commit: str) -> None:
        with self._disk_watched(source.repository):
            reference = weights.home(source.repository, self.folder) / "refs" / (source.revision or "main")
            reference.parent.mkdir(parents=True, exist_ok=True)
            reference.write_text(commit, "utf-8")

    def _bring(self, blob: Path, files: list[RemoteFile]) -> None:
        file = files[0]
        with self._disk_watched(file.repository):
            if all(_lies(self._pointer(each), file.size) for each in files):
                return
            if not _lies(blob, file.size):
                blob.parent.mkdir(parents=True, exist_ok=True)
                blob.unlink(missing_ok=True)
                if not self._borrowed(file, blob):
                    self._load(file, blob)
            for each in files:
                _point(self._pointer(each), blob)

    def _load(self, file: RemoteFile, blob: Path) -> None:
        part = _part(blob)
        if part.is_file() and part.stat().st_size > file.size:
            part.unlink()
        self._hub.bring(file, part, lambda count: self._heard(file, count), self._stopping)
        if _digest(part, file) != file.etag:
            part.unlink()
            raise WeightsUnreachable(repository=file.repository, reason=f"{file.path} arrived damaged")
        part.replace(blob)

    def _borrowed(self, file: RemoteFile, blob: Path) -> bool:
        """Take the same file from another repository, where there is one and the disk can link."""
        for twin in self._twins(file):
            try:
                os.link(twin, blob)
            except OSError:
                return False
            return True
        return False

    def _heard(self, file: RemoteFile, count: int) -> None:
        with self._turn:
            self._done += count
            self._latest = file.path

    def _arriving(self, began: float, before: int) -> Arriving:
        with self._turn:
            spent, new, left = time.monotonic() - began, self._done - before, self.total_bytes - self._done
            seconds = round(left * spent / new, 1) if spent > MEASURABLE_S and new > 0 else None
            return Arriving(self._latest, self._done, self.total_bytes, seconds)

    def _missing(self) -> int:
        return sum(self._missing_of(blob, files[0]) for blob, files in self._files.items())

    def _missing_of(self, blob: Path, file: RemoteFile) -> int:
        if _lies(blob, file.size) or _lies(self._pointer(file), file.size) or self._twins(file):
            return 0
        part = _part(blob)
        here = part.stat().st_size if part.is_file() else 0
        return file.size - here if here <= file.size else file.size

    def _twins(self, file: RemoteFile) -> list[Path]:
        if len(file.etag) != SHA256_LENGTH:
            return []
        others = self.folder.glob(f"models--*/blobs/{file.etag}")
        return [other for other in others if other != self._blob(file) and _lies(other, file.size)]

    def _blob(self, file: RemoteFile) -> Path:
        return weights.home(file.repository, self.folder) / "blobs" / file.etag

    def _pointer(self, file: RemoteFile) -> Path:
        return weights.home(file.repository, self.folder) / "snapshots" / file.commit / file.path

    @contextmanager
    def _alone(self, repository: str) -> Iterator[None]:
        lock = FileLock(self.folder / ".locks" / f"{weights.home(repository, self.folder).name}.lock", timeout=1)
        with ExitStack() as held:
            with self._disk_watched(repository):
                Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
                try:
                    held.enter_context(lock)
                except Timeout as error:
                    raise WeightsUnreachable(repository=repository, reason="it is being fetched already") from error
                except NotImplementedError:
                    pass  # a disk that knows no locks
            yield

    @contextmanager
    def _disk_watched(self, repository: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise self._too_large() from error
            reason = f"the folder {self.folder} can't be written: {error.strerror}"
            raise WeightsUnreachable(repository=repository, reason=reason) from error

    def _too_large(self) -> SpaceExhausted:
        needed, free = self._missing() + MARGIN_BYTES, _free(self.folder) or 0
        return SpaceExhausted(engine=self.engine, needed_gb=needed / GIGABYTE, free_gb=free / GIGABYTE)

    def _check(self) -> None:
        for source in self._wanted:
            if weights.lying(source, self.folder) is None:
                raise WeightsUnreachable(repository=source.repository, reason="all of it arrived, but it is not whole")


def _lies(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _part(blob: Path) -> Path:
    return blob.with_name(f"{blob.name}.incomplete")


def _point(pointer: Path, blob: Path) -> None:
    """Let a name of a snapshot lead to a blob; where links can't be made, the file itself moves there."""
    if pointer.is_symlink() or pointer.exists():
        pointer.unlink()
    pointer.parent.mkdir(parents=True, exist_ok=True)
    try:
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    except OSError:
        blob.replace(pointer)


def _digest(path: Path, file: RemoteFile) -> str:
    """Return what the Hub calls a file's etag: SHA-256, or for small files git's SHA-1, of which the size is part."""
    large = len(file.etag) == SHA256_LENGTH
    digest = hashlib.sha256() if large else hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    with path.open("rb") as source:
        while piece := source.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _free(folder: Path) -> int | None:
    """Return the bytes that are free where a folder is or will be; None if the disk does not say, as some in clouds."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    usage = shutil.disk_usage(there)
    return usage.free if usage.total else None
