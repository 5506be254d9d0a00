"""The part of FakeModal that runs things: functions and classes by name, their calls, and how calls end."""
# ruff: noqa: N802 - RPCs have the names that the protocol gives them

import asyncio
import queue
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal._serialization import deserialize, deserialize_data_format, serialize
from modal_proto import api_pb2 as proto

from tests.fakes.modal_shelves import Shelves

Outcome = proto.GenericResult
PICKLE = proto.DATA_FORMAT_PICKLE
PLAIN = proto.ClassParameterInfo(format=proto.ClassParameterInfo.PARAM_SERIALIZATION_FORMAT_PICKLE)
"""What the client sends for a class without parameters."""


class Stopped(BaseException):
    """The call was cancelled or its machine taken away; it passes `except Exception`, as Modal's own does."""


class Call:
    """One function call: of what, with what, how often it ran, and how it ended."""

    def __init__(self, call_id: str, function: str, variant: str, given: proto.FunctionInput, data: bytes) -> None:
        self.id, self.function, self.variant = call_id, function, variant
        self.arguments, self.named = deserialize_data_format(data, given.data_format, None)
        self.orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
        """What a body should do next, where a test says so."""
        self.runs: list[str] = []
        self.cancels: list[bool] = []  # terminate_containers of each
        self.end: asyncio.Future[proto.FunctionGetOutputsItem] = asyncio.get_running_loop().create_future()
        self.stop = threading.Event()
        self.again = False

    def finish(self, status: "Outcome.GenericStatus", **how: Any) -> None:
        """End it unless it has ended, and stop what runs for it."""
        if not self.end.done():
            self.end.set_result(proto.FunctionGetOutputsItem(result=Outcome(status=status, **how), data_format=PICKLE))
        self.interrupt()

    def interrupt(self) -> None:
        """Stop the run."""
        self.stop.set()
        self.orders.put(None)


class Container:
    """What a body sees of where it runs; `run` is another one when a call runs again."""

    def __init__(self, fake: "Calls", call: Call) -> None:
        self._fake, self._call, self.call_id, self.run = fake, call, call.id, call.runs[-1]

    def check(self) -> None:
        """Raise Stopped if this run is to end."""
        if self._call.stop.is_set():
            raise Stopped

    def order(self) -> Any:
        """Wait for the next of the call's orders. Raises Stopped."""
        while (order := self._call.orders.get()) is None:
            self.check()
        return order

    def hang(self) -> None:
        """Hear nothing any more, until the container itself is ended. Raises Stopped."""
        while not self._call.end.done():
            self._call.orders.get()
        raise Stopped

    def put(self, name: str, partition: str, item: Any) -> None:
        """Append to a queue."""
        self._fake.append(name, partition, item)

    def claim(self, name: str, key: str) -> str:
        """Write our id under a key of a dict unless another stands there, and return who stands there."""
        entries = self._fake.dicts.setdefault(name, {})
        return str(deserialize(entries.setdefault(serialize(key), serialize(self.call_id)), None))


Body = Callable[..., Any]


class Calls(Shelves):
    """`deployed` says what each function of the app does: "Class.method" or "function" -> body(container, …)."""

    def __init__(self, deployed: Mapping[str, Body], app: str) -> None:
        super().__init__()
        self.app, self.deployed = app, dict(deployed)
        self.calls: dict[str, Call] = {}
        self.variants: dict[str, tuple[str, proto.FunctionOptions]] = {}  # id -> function id and options
        self.scaling: dict[str, proto.AutoscalerSettings] = defaultdict(proto.AutoscalerSettings)
        self._threads = ThreadPoolExecutor(16, "fake-modal")

    async def __aexit__(self, *error: object) -> None:
        for call in self.calls.values():
            call.finish(Outcome.GENERIC_STATUS_TERMINATED)
        await super().__aexit__(*error)
        self._threads.shutdown()

    async def called(self, count: int = 1) -> Call:
        """Wait for that many calls to have begun, and return the last of them."""
        await self.until(lambda: sum(bool(call.runs) for call in self.calls.values()) >= count)
        return list(self.calls.values())[count - 1]

    def end(self, call: Call, status: "Outcome.GenericStatus", why: str = "") -> None:
        """End a call as the platform does, with one of `Outcome`'s statuses."""
        call.finish(status, exception=why)
        self.notify()

    def preempt(self, call: Call) -> None:
        """Take the machine away: the call runs again from its start, as another run."""
        call.again = True
        call.interrupt()

    def expire(self, call: Call) -> None:
        """Forget a call and what it made."""
        del self.calls[call.id]

    async def _run(self, call: Call) -> None:
        while not call.end.done():
            call.runs.append(str(uuid.uuid4()))
            self.notify()
            try:
                made = await self.loop.run_in_executor(self._threads, self._made, call)
            except Stopped:
                if not call.again:
                    call.finish(Outcome.GENERIC_STATUS_TERMINATED, exception="Input was cancelled.")
                call.again = False
                call.stop.clear()
            except Exception as error:  # noqa: BLE001 - whatever it is, it travels
                call.finish(Outcome.GENERIC_STATUS_FAILURE, exception=repr(error), data=serialize(error))
            else:
                call.finish(Outcome.GENERIC_STATUS_SUCCESS, **self.packed(serialize(made)))
        self.notify()

    def _made(self, call: Call) -> Any:
        return self.deployed[call.function](Container(self, call), *call.arguments, **call.named)

    def _handle(self, tag: str) -> proto.FunctionHandleMetadata:
        """Describe a function by its tag, which is "Class.*" for a class. Raises NOT_FOUND."""
        whole = tag.removesuffix("*")
        names = [name for name in self.deployed if name == tag or (whole != tag and name.startswith(whole))]
        if not names:
            raise GRPCError(Status.NOT_FOUND, f"no {tag} in {self.app}")
        kind = proto.Function.FUNCTION_TYPE_FUNCTION
        methods = {
            name.removeprefix(whole): proto.FunctionHandleMetadata(
                function_name=name, use_method_name=name.removeprefix(whole), is_method=True, function_type=kind
            )
            for name in names
            if whole != tag
        }
        return proto.FunctionHandleMetadata(
            function_name=tag,
            function_type=kind,
            app_id="ap-1",
            definition_id="de-1",
            class_parameter_info=PLAIN,
            method_handle_metadata=methods,
        )

    async def FunctionGet(self, request: proto.FunctionGetRequest) -> proto.FunctionGetResponse:
        if request.app_name != self.app:
            raise GRPCError(Status.NOT_FOUND, f"no app {request.app_name}")
        told = proto.FunctionData.RankedFunction(function=proto.Function(function_name=request.object_tag))
        return proto.FunctionGetResponse(
            function_id=f"fu-{request.object_tag}",
            handle_metadata=self._handle(request.object_tag),
            function=proto.FunctionData(ranked_functions=[told]),
        )

    async def ClassGet(self, request: proto.ClassGetRequest) -> proto.ClassGetResponse:
        await self.FunctionGet(
            proto.FunctionGetRequest(app_name=request.app_name, object_tag=f"{request.object_tag}.*")
        )
        return proto.ClassGetResponse(class_id=f"cs-{request.object_tag}")

    async def FunctionBindParams(self, request: proto.FunctionBindParamsRequest) -> proto.FunctionBindParamsResponse:
        variant = (request.function_id, request.function_options)
        bound = next((name for name, known in self.variants.items() if known == variant), f"fu-{next(self.ids)}")
        self.variants[bound] = variant
        handle = self._handle(request.function_id.removeprefix("fu-"))
        return proto.FunctionBindParamsResponse(bound_function_id=bound, handle_metadata=handle)

    async def FunctionUpdateSchedulingParams(
        self, request: proto.FunctionUpdateSchedulingParamsRequest
    ) -> proto.FunctionUpdateSchedulingParamsResponse:
        self.scaling[request.function_id].MergeFrom(request.settings)
        return proto.FunctionUpdateSchedulingParamsResponse(current_settings=self.scaling[request.function_id])

    async def FunctionMap(self, request: proto.FunctionMapRequest) -> proto.FunctionMapResponse:
        base = self.variants.get(request.function_id, (request.function_id, None))[0].removeprefix("fu-")
        given = request.pipelined_inputs[0].input
        function = base.removesuffix("*") + given.method_name
        data = self.blobs[given.args_blob_id] if given.args_blob_id else given.args
        call = Call(f"fc-{next(self.ids)}", function, request.function_id, given, data)
        self.calls[call.id] = call
        self.begin(self._run(call))
        put = proto.FunctionPutInputsResponseItem(idx=0, input_id=f"in-{call.id}")
        return proto.FunctionMapResponse(function_call_id=call.id, pipelined_inputs=[put])

    async def FunctionGetOutputs(self, request: proto.FunctionGetOutputsRequest) -> proto.FunctionGetOutputsResponse:
        if request.function_call_id not in self.calls:
            return proto.FunctionGetOutputsResponse(num_unfinished_inputs=0)
        end = self.calls[request.function_call_id].end
        await asyncio.wait([end], timeout=request.timeout)
        if not end.done():
            return proto.FunctionGetOutputsResponse(num_unfinished_inputs=1)
        return proto.FunctionGetOutputsResponse(outputs=[end.result()], idxs=[0])

    async def FunctionCallCancel(self, request: proto.FunctionCallCancelRequest) -> Empty:
        if request.function_call_id not in self.calls:
            raise GRPCError(Status.NOT_FOUND, "no such call")
        call = self.calls[request.function_call_id]
        call.cancels.append(request.terminate_containers)
        call.interrupt()
        if request.terminate_containers:
            call.finish(Outcome.GENERIC_STATUS_TERMINATED, exception="Container was terminated.")
        self.notify()
        return Empty()
