"""The part of FakeModal that keeps things: queues with partitions, dicts, and blobs for what is too large for gRPC."""
# ruff: noqa: N802 - RPCs have the names that the protocol gives them

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Self

from aiohttp import web
from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal._serialization import deserialize, serialize
from modal_proto import api_pb2 as proto

from tests.fakes.modal_server import ModalServer

INLINE = 2 * 1024 * 1024  # bytes; larger results travel as blobs
CREATE = proto.OBJECT_CREATION_TYPE_CREATE_IF_MISSING


class Shelves(ModalServer):
    """Everything is kept as the client sent it, in its own serialization."""

    def __init__(self) -> None:
        super().__init__()
        self.queues: dict[str, dict[bytes, list[bytes]]] = defaultdict(lambda: defaultdict(list))
        self.dicts: dict[str, dict[bytes, bytes]] = {}
        self.blobs: dict[str, bytes] = {}
        self.slow_s = 0.0  # that a blob takes on its way to the client
        self.storage = 200  # what the place of the blobs answers; 0 is to hang up

    async def __aenter__(self) -> Self:
        store = web.Application(client_max_size=1024**3)
        store.add_routes([web.put("/{blob}", self._upload), web.get("/{blob}", self._download)])
        self._store = web.AppRunner(store, access_log=None)
        await self._store.setup()
        await web.TCPSite(self._store, "127.0.0.1", 0).start()
        self.blob_url = f"http://127.0.0.1:{self._store.addresses[0][1]}"
        return await super().__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        await self._store.cleanup()

    def append(self, name: str, partition: str, *items: Any) -> None:
        """Append to a queue, from any thread."""

        def append() -> None:
            self.queues[name][partition.encode()].extend(serialize(item) for item in items)
            self.notify()

        self.loop.call_soon_threadsafe(append)

    def kept(self, name: str) -> dict[Any, Any]:
        """Return what a dict holds."""
        return {deserialize(key, None): deserialize(value, None) for key, value in self.dicts.get(name, {}).items()}

    def packed(self, data: bytes) -> dict[str, Any]:
        """Return the fields of a result for data of that size."""
        if len(data) <= INLINE:
            return {"data": data}
        blob = f"bl-{next(self.ids)}"
        self.blobs[blob] = data
        return {"data_blob_id": blob}

    async def _upload(self, request: web.Request) -> web.Response:
        body = self.blobs[request.match_info["blob"]] = await request.read()
        return web.Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})

    async def _download(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.slow_s)
        if not self.storage and request.transport:
            request.transport.close()
        if self.storage != 200:
            return web.Response(status=self.storage or 500)
        return web.Response(body=self.blobs[request.match_info["blob"]])

    async def BlobCreate(self, _: proto.BlobCreateRequest) -> proto.BlobCreateResponse:
        blob = f"bl-{next(self.ids)}"
        uploads = proto.UploadUrlList(items=[f"{self.blob_url}/{blob}"])
        return proto.BlobCreateResponse(blob_ids=[blob], upload_urls=uploads)

    async def BlobGet(self, request: proto.BlobGetRequest) -> proto.BlobGetResponse:
        return proto.BlobGetResponse(download_url=f"{self.blob_url}/{request.blob_id}")

    async def QueueGetOrCreate(self, request: proto.QueueGetOrCreateRequest) -> proto.QueueGetOrCreateResponse:
        name = request.deployment_name
        if name not in self.queues and request.object_creation_type != CREATE:
            raise GRPCError(Status.NOT_FOUND, f"no queue {name}")
        self.queues[name]
        return proto.QueueGetOrCreateResponse(queue_id=f"qu-{name}", metadata=proto.QueueMetadata(name=name))

    def _items(self, request: Any) -> list[bytes]:
        return self.queues[request.queue_id.removeprefix("qu-")][request.partition_key]

    async def QueuePut(self, request: proto.QueuePutRequest) -> Empty:
        self._items(request).extend(request.values)
        self.notify()
        return Empty()

    async def QueueLen(self, request: proto.QueueLenRequest) -> proto.QueueLenResponse:
        return proto.QueueLenResponse(len=len(self._items(request)))

    async def QueueClear(self, request: proto.QueueClearRequest) -> Empty:
        self._items(request).clear()
        return Empty()

    async def QueueGet(self, request: proto.QueueGetRequest) -> proto.QueueGetResponse:
        items = self._items(request)
        with suppress(TimeoutError):
            await self.until(lambda: items, request.timeout)
        taken, items[: request.n_values or 1] = items[: request.n_values or 1], []
        return proto.QueueGetResponse(values=taken)

    async def QueueNextItems(self, request: proto.QueueNextItemsRequest) -> proto.QueueNextItemsResponse:
        items, start = self._items(request), int(request.last_entry_id or 0)
        with suppress(TimeoutError):
            await self.until(lambda: len(items) > start, request.item_poll_timeout)
        numbered = enumerate(items[start:], start + 1)
        return proto.QueueNextItemsResponse(
            items=[proto.QueueItem(value=value, entry_id=str(number)) for number, value in numbered]
        )

    async def DictGetOrCreate(self, request: proto.DictGetOrCreateRequest) -> proto.DictGetOrCreateResponse:
        name = request.deployment_name
        if name not in self.dicts and request.object_creation_type != CREATE:
            raise GRPCError(Status.NOT_FOUND, f"no dict {name}")
        self.dicts.setdefault(name, {})
        return proto.DictGetOrCreateResponse(dict_id=f"di-{name}", metadata=proto.DictMetadata(name=name))

    def _entries(self, request: Any) -> dict[bytes, bytes]:
        return self.dicts[request.dict_id.removeprefix("di-")]

    async def DictGet(self, request: proto.DictGetRequest) -> proto.DictGetResponse:
        value = self._entries(request).get(request.key)
        return proto.DictGetResponse(found=value is not None, value=value)

    async def DictContains(self, request: proto.DictContainsRequest) -> proto.DictContainsResponse:
        return proto.DictContainsResponse(found=request.key in self._entries(request))

    async def DictUpdate(self, request: proto.DictUpdateRequest) -> proto.DictUpdateResponse:
        entries = self._entries(request)
        new = {entry.key: entry.value for entry in request.updates}
        created = not (request.if_not_exists and new.keys() & entries.keys())
        if created:
            entries.update(new)
        self.notify()
        return proto.DictUpdateResponse(created=created)

    async def DictPop(self, request: proto.DictPopRequest) -> proto.DictPopResponse:
        value = self._entries(request).pop(request.key, None)
        self.notify()
        return proto.DictPopResponse(found=value is not None, value=value)

    async def DictContents(self, request: proto.DictContentsRequest) -> AsyncIterator[proto.DictEntry]:
        for key, value in list(self._entries(request).items()):
            yield proto.DictEntry(key=key, value=value)
            await asyncio.sleep(0)
