"""The storage: videos, posters and sidecars, in a folder or in a bucket."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store
from pydantic import ValidationError

from sakuga.clip import Clip, Filed
from sakuga.errors import StorageUnavailable
from sakuga.settings import Settings

TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".json": "application/json"}


class Storage:
    """Keeps the files of clips. The sidecar is written last: a clip without one does not exist."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the storage that the settings name: `s3://bucket/prefix` or a folder. Raises StorageUnavailable."""
        url = settings.storage_url or str(settings.var_dir / "clips")
        try:
            if url.startswith("s3://"):
                return cls(_bucket(url, settings))
            folder = Path(url.removeprefix("file://")).resolve()
            return cls(LocalStore(prefix=folder, mkdir=True))
        except (BaseError, OSError, ValueError) as error:
            raise StorageUnavailable(reason=type(error).__name__) from error

    async def put(self, clip: Clip, video: Path, poster: Path) -> None:
        """Store a clip; doing it again replaces it. Raises StorageUnavailable."""
        await self._put(clip.video_key, video)
        await self._put(clip.poster_key, poster)
        await self._put(clip.sidecar_key, clip.model_dump_json(indent=1).encode())

    async def remove(self, clip: Filed) -> None:
        """Remove a clip's files, the sidecar first; what is not there is left alone. Raises StorageUnavailable."""
        for key in (clip.sidecar_key, clip.poster_key, clip.video_key):
            try:
                await obstore.delete_async(self._objects, key)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise StorageUnavailable(reason=type(error).__name__) from error

    async def _put(self, key: str, source: Path | bytes) -> None:
        attributes = {"Content-Type": TYPES[Path(key).suffix]} if isinstance(self._objects, S3Store) else None
        try:
            await obstore.put_async(self._objects, key, source, attributes=attributes)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(reason=type(error).__name__) from error

    async def size(self, key: str) -> int | None:
        """Return the bytes of a file, or None when there is none. Raises StorageUnavailable."""
        try:
            return int((await obstore.head_async(self._objects, key))["size"])
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise StorageUnavailable(reason=type(error).__name__) from error

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes of a file from `start` up to, not including, `end`."""
        found = await obstore.get_async(self._objects, key, options={"range": (start, end)})
        async for chunk in found.stream():
            yield bytes(chunk)

    async def sidecars(self) -> AsyncIterator[Clip]:
        """Yield every clip that has a readable sidecar: what the gallery can be rebuilt from.

        Raises StorageUnavailable.
        """
        try:
            async for batch in obstore.list(self._objects):
                for entry in batch:
                    if entry["path"].endswith(".json") and (clip := await self._sidecar(entry["path"])):
                        yield clip
        except (BaseError, OSError) as error:
            raise StorageUnavailable(reason=type(error).__name__) from error

    async def _sidecar(self, key: str) -> Clip | None:
        document = await (await obstore.get_async(self._objects, key)).bytes_async()
        try:
            return Clip.model_validate_json(bytes(document))
        except ValidationError:
            return None

    async def reachable(self) -> bool:
        """Whether the storage answers."""
        try:
            await self.size("reachable")
        except StorageUnavailable:
            return False
        return True


def _bucket(url: str, settings: Settings) -> S3Store:
    secret, key_id = settings.s3_secret_access_key, settings.s3_access_key_id
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return S3Store(
        bucket,
        prefix=prefix.strip("/") or None,
        region=settings.s3_region,
        endpoint=settings.s3_endpoint,
        access_key_id=key_id.get_secret_value() if key_id else None,
        secret_access_key=secret.get_secret_value() if secret else None,
        client_options={"allow_http": True, "timeout": "30s"},
        retry_config={"max_retries": 3},
    )
