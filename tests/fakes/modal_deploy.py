"""FakeWorkspace: a FakeModal that takes deployments, and has volumes, logs and a bill."""
# ruff: noqa: N802 - RPCs have the names that the protocol gives them

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as proto

from tests.fakes.modal import FakeModal
from tests.fakes.modal_calls import Body
from tests.fakes.modal_gpu import draw

BUILDER = "2025.06"
WELL = proto.GenericResult(status=proto.GenericResult.GENERIC_STATUS_SUCCESS)


class Deployed:
    """What a deployment said of one function or class."""

    def __init__(self, request: proto.FunctionCreateRequest) -> None:
        several = request.HasField("function_data")
        self.plan = request.function_data if several else request.function
        ranked = sorted(request.function_data.ranked_functions, key=lambda each: each.rank)
        self.ways = [each.function for each in ranked] if several else [request.function]

    @property
    def one(self) -> proto.Function:
        """What is the same for each of its GPUs."""
        return self.ways[0]

    @property
    def gpus(self) -> list[str]:
        return [way.resources.gpu_config.gpu_type for way in self.ways if way.resources.gpu_config.gpu_type]

    @property
    def volumes(self) -> dict[str, tuple[str, bool]]:
        """Return path -> name and whether it is read-only."""
        return {
            mount.mount_path: (mount.volume_id.removeprefix("vo-"), mount.read_only) for mount in self.one.volume_mounts
        }


class FakeWorkspace(FakeModal):
    """A workspace where nothing is deployed at first, unless `deployed` says what."""

    def __init__(self, deployed: Mapping[str, Body] | None = None, app: str = "sakuga") -> None:
        super().__init__(deployed or {}, app)
        self.functions: dict[str, Deployed] = {}  # of the last deployment
        self.images: dict[str, list[str]] = {}  # id -> lines of its Dockerfile, after those that it stands on
        self.mounts: dict[str, list[str]] = {}  # id -> paths in the container
        self.published: proto.AppPublishRequest | None = None
        self.secrets: set[str] = {"huggingface"}
        self.volumes: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.stats: dict[str, proto.FunctionStats] = {}  # "Class.*" -> what runs there
        self.lines: list[str] = []  # the app's log
        self.bill: dict[int, str] = {}  # days ago -> USD
        self.fetched: list[str] = []  # "commit" and "reload", with the volume
        self.said = ""  # by the command that deployed
        self._contents: dict[str, bytes] = {}

    # deployment

    async def EnvironmentGetOrCreate(self, _: Message) -> Message:
        settings = proto.EnvironmentSettings(image_builder_version=BUILDER)
        return proto.EnvironmentGetOrCreateResponse(
            environment_id="en-1", metadata=proto.EnvironmentMetadata(name="main", settings=settings)
        )

    async def AppGetByDeploymentName(self, _: Message) -> Message:
        return proto.AppGetByDeploymentNameResponse()

    async def AppCreate(self, _: Message) -> Message:
        return proto.AppCreateResponse(app_id="ap-1", app_page_url=self.url, app_logs_url=self.url)

    async def AppGetOrCreate(self, request: proto.AppGetOrCreateRequest) -> Message:
        if request.app_name != self.app or not self.deployed:
            raise GRPCError(Status.NOT_FOUND, f"no app {request.app_name}")
        return proto.AppGetOrCreateResponse(app_id="ap-1")

    async def AppGetLayout(self, _: Message) -> Message:
        return proto.AppGetLayoutResponse()

    async def AppHeartbeat(self, _: Message) -> Message:
        return Empty()

    async def AppClientDisconnect(self, _: Message) -> Message:
        return Empty()

    async def AppPublish(self, request: proto.AppPublishRequest) -> Message:
        self.published, self.app = request, request.name
        for tag in request.function_ids:
            self.deployed.setdefault(f"{tag.removesuffix('*')}render" if tag.endswith(".*") else tag, draw)
        return proto.AppPublishResponse(url=f"{self.url}/sakuga", deployed_at=1.0)

    async def MountGetOrCreate(self, request: proto.MountGetOrCreateRequest) -> Message:
        mount = f"mo-{next(self.ids)}"
        self.mounts[mount] = [file.filename for file in request.files]
        handle = proto.MountHandleMetadata(content_checksum_sha256_hex=mount)
        return proto.MountGetOrCreateResponse(mount_id=mount, handle_metadata=handle)

    async def MountBatchedCheckExistence(self, request: proto.MountBatchedCheckExistenceRequest) -> Message:
        missing = [digest for digest in request.sha256_hex_hashes if digest not in self._contents]
        return proto.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    async def MountPutFile(self, request: proto.MountPutFileRequest) -> Message:
        if request.data or request.data_blob_id:
            data = self.blobs[request.data_blob_id] if request.data_blob_id else request.data
            self._contents[request.sha256_hex] = data
        return proto.MountPutFileResponse(exists=request.sha256_hex in self._contents)

    async def SecretGetOrCreate(self, request: proto.SecretGetOrCreateRequest) -> Message:
        if request.deployment_name not in self.secrets:
            raise GRPCError(Status.NOT_FOUND, f"no secret {request.deployment_name}")
        return proto.SecretGetOrCreateResponse(secret_id=f"st-{request.deployment_name}")

    async def ImageGetOrCreate(self, request: proto.ImageGetOrCreateRequest) -> Message:
        below = [line for base in request.image.base_images for line in self.images[base.image_id]]
        image = f"im-{next(self.ids)}"
        files = [f"# {file.filename}: {len(file.data)} bytes" for file in request.image.context_files]
        self.images[image] = [*below, *files, *request.image.dockerfile_commands]
        metadata = proto.ImageMetadata(image_builder_version=BUILDER)
        return proto.ImageGetOrCreateResponse(image_id=image, result=WELL, metadata=metadata)

    async def FunctionPrecreate(self, request: proto.FunctionPrecreateRequest) -> Message:
        return proto.FunctionPrecreateResponse(
            function_id=f"fu-{request.function_name}",
            handle_metadata=proto.FunctionHandleMetadata(
                function_name=request.function_name, function_type=request.function_type, definition_id="de-1"
            ),
        )

    async def FunctionCreate(self, request: proto.FunctionCreateRequest) -> Message:
        made = Deployed(request)
        name = made.plan.function_name
        self.functions[name] = made
        self.scaling[f"fu-{name}"].CopyFrom(made.one.autoscaler_settings)
        ranked = [proto.FunctionData.RankedFunction(rank=rank, function=way) for rank, way in enumerate(made.ways)]
        return proto.FunctionCreateResponse(
            function_id=f"fu-{name}",
            function=made.one,
            function_data=proto.FunctionData(ranked_functions=ranked),
            handle_metadata=proto.FunctionHandleMetadata(
                function_name=name, function_type=made.one.function_type, definition_id="de-1"
            ),
        )

    async def ClassCreate(self, _: Message) -> Message:
        return proto.ClassCreateResponse(class_id=f"cs-{next(self.ids)}")

    # what is deployed

    async def FunctionGetSchedulingParams(self, request: proto.FunctionGetSchedulingParamsRequest) -> Message:
        answer = proto.FunctionGetSchedulingParamsResponse()
        answer.autoscaler_configuration.settings.CopyFrom(self.scaling[request.function_id])
        return answer

    async def FunctionGetCurrentStats(self, request: proto.FunctionGetCurrentStatsRequest) -> Message:
        return self.stats.get(self._base(request.function_id), proto.FunctionStats())

    def _base(self, function_id: str) -> str:
        return self.variants.get(function_id, (function_id, None))[0].removeprefix("fu-")

    async def AppFetchLogs(self, request: proto.AppFetchLogsRequest) -> Message:
        items = [
            proto.TaskLogs(data=f"{line}\n", timestamp=1_800_000_000 + number) for number, line in enumerate(self.lines)
        ]
        batch = proto.TaskLogsBatch(items=items[-request.limit :])
        return proto.AppFetchLogsResponse(batches=[batch] if items else [])

    async def WorkspaceBillingReport(self, request: proto.WorkspaceBillingReportRequest) -> AsyncIterator[Message]:
        begin = request.start_timestamp.ToDatetime(UTC)
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for ago, usd in sorted(self.bill.items(), reverse=True):
            day = today - timedelta(days=ago)
            for app, cost in ((self.app, usd), ("another", "100")):
                if day >= begin:
                    item = proto.WorkspaceBillingReportItem(object_id="ap-1", description=app, cost=cost)
                    item.interval.FromDatetime(day)
                    if app == self.app:
                        item.tags["product"] = "sakuga"
                    yield item

    async def WorkspaceBillingSummary(self, _: proto.WorkspaceBillingSummaryRequest) -> Message:
        metered = sum(map(Decimal, self.bill.values()), Decimal(100))
        return proto.WorkspaceBillingSummaryResponse(
            metered_cost=str(metered), billed_cost=str(max(metered - 30, Decimal(0))), adjustments={"credit": "-30"}
        )

    # volumes

    async def VolumeGetOrCreate(self, request: proto.VolumeGetOrCreateRequest) -> Message:
        name = request.deployment_name
        self.volumes[name]
        return proto.VolumeGetOrCreateResponse(volume_id=f"vo-{name}", metadata=proto.VolumeMetadata(name=name))

    def _files(self, request: Any) -> dict[str, bytes]:
        return self.volumes[request.volume_id.removeprefix("vo-")]

    async def VolumePutFiles(self, request: proto.VolumePutFilesRequest) -> Message:
        for file in request.files:
            self._files(request)[file.filename.strip("/")] = self._contents[file.sha256_hex]
        return Empty()

    async def VolumeListFiles(self, request: proto.VolumeListFilesRequest) -> AsyncIterator[Message]:
        folder = PurePosixPath("/", request.path)
        below = {
            name: data for name, data in self._files(request).items() if folder in PurePosixPath("/", name).parents
        }
        if not below and folder != PurePosixPath("/"):
            raise GRPCError(Status.NOT_FOUND, f"no folder {request.path}")
        kind = proto.FileEntry.FileType.FILE
        entries = [proto.FileEntry(path=name, type=kind, size=len(data)) for name, data in below.items()]
        yield proto.VolumeListFilesResponse(entries=entries)

    async def VolumeGetFile2(self, request: proto.VolumeGetFile2Request) -> Message:
        data = self._files(request)[request.path.strip("/")]
        blob = f"bl-{next(self.ids)}"
        self.blobs[blob] = data
        return proto.VolumeGetFile2Response(get_urls=[f"{self.blob_url}/{blob}"], size=len(data), len=len(data))

    async def VolumeRemoveFile(self, request: proto.VolumeRemoveFileRequest) -> Message:
        del self._files(request)[request.path.strip("/")]
        return Empty()

    async def VolumeReload(self, request: proto.VolumeReloadRequest) -> Message:
        self.fetched.append(f"reload {request.volume_id.removeprefix('vo-')}")
        return Empty()

    async def VolumeCommit(self, request: proto.VolumeCommitRequest) -> Message:
        self.fetched.append(f"commit {request.volume_id.removeprefix('vo-')}")
        return proto.VolumeCommitResponse(skip_reload=True)

    def shelve(self, clip: str, **words: Any) -> None:
        """Put a hero clip where the nightly run puts it."""
        sidecar = json.dumps(words).encode()
        for ending, data in (("mp4", b"film of " + clip.encode()), ("jpg", b"poster"), ("json", sidecar)):
            self.volumes["sakuga-media"][f"hero/{clip}.{ending}"] = data
