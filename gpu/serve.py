"""The resident child: keeps one engine in memory and draws what it is told, one clip after the other.

It hears `{"render": RenderRequest, "handle", "out"}`, `{"cancel": handle}` and `{"warm": engine}`. It says
`{"handle", "progress"}`, then one `{"handle", "result"}` or `{"handle", "error": {"code", "data"}}` per render, and
`{"ready": {"engine", "device"}}` at first, after each `warm`, and whenever it has tried to change the engine in memory.
An engine that can not be warmed is `{"warm": engine, "error": {"code", "data"}}`.
"""

import gc
import json
import sys
import threading
from pathlib import Path
from queue import Queue
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from gpu.engines import Engine, Place, find_engine
from gpu.pipe import Lines, hear, lines
from gpu.render import leaves_doubts, render, translated
from gpu.telling import Telling
from gpu.trace import trace
from sakuga.engine import Progress, RenderRequest
from sakuga.errors import RenderCancelled, RenderFailed, RenderLost, SakugaError

LOADED = 0.005
"""Which part of a whole render is done when the engine is in memory."""


class _Render(BaseModel):
    model_config = ConfigDict(extra="forbid")

    render: dict[str, Any]
    handle: str
    out: Path


class _Cancel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cancel: str


class _Warm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    warm: str


ORDER: TypeAdapter[_Render | _Cancel | _Warm] = TypeAdapter(_Render | _Cancel | _Warm)


class Resident:
    """At most one engine in memory."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._engine: Engine | None = None

    @property
    def held(self) -> str | None:
        """The name of the engine in memory."""
        return self._engine.spec.name if self._engine else None

    def has(self, name: str) -> bool:
        """Whether that engine is in memory."""
        return self.held == name

    def engine(self, name: str) -> Engine:
        """Return that engine, loaded; the one before it is let go first. Raises RenderError."""
        if self._engine is None or not self.has(name):
            with translated(name):
                engine = find_engine(name, self._place)
                self.forget()
                engine.load()
            self._engine = engine
        return self._engine

    def forget(self) -> None:
        """Let go of what is in memory, on the card too. Raises RenderLost where the card answers no more."""
        self._engine = None
        gc.collect()
        torch = sys.modules.get("torch")
        if torch and torch.cuda.is_available():
            try:
                torch.cuda.synchronize()  # what a kernel did wrong is said by whoever asks next
                torch.cuda.empty_cache()
            except RuntimeError as error:
                raise RenderLost from error

    def doubt(self, error: SakugaError) -> SakugaError:
        """Let go of the engine after a failure that may have left it in any state: the next render loads it anew.

        Returns that failure, or RenderLost where the card turns out to answer no more. Others leave the engine be.
        """
        if leaves_doubts(error):
            try:
                self.forget()
            except RenderLost as lost:
                return lost
        return error


class Desk:
    """Takes orders from one thread and carries them out in another."""

    def __init__(self, lines: Lines, place: Place) -> None:
        self._lines = lines
        self._resident = Resident(place)
        self._orders: Queue[_Render | _Warm] = Queue()
        self._known: set[str] = set()
        self._unwanted: set[str] = set()
        self._turn = threading.Lock()

    def take(self, line: bytes) -> None:
        """Take one order. What can't be read is said on stderr, without its words."""
        try:
            order = ORDER.validate_json(line)
        except ValidationError as error:
            sys.stderr.write(f"an order can't be read: {problem(error)}\n")
            return
        if isinstance(order, _Cancel):
            with self._turn:
                self._unwanted |= {order.cancel} & self._known
            return
        if isinstance(order, _Render):
            with self._turn:
                self._known.add(order.handle)
        self._orders.put(order)

    def work(self) -> None:
        """Carry out orders for ever."""
        self._lines.send(ready={"engine": None, "device": None})
        while True:
            order = self._orders.get()
            if isinstance(order, _Warm):
                self._warm(order.warm)
            else:
                self._draw(order)

    def _warm(self, engine: str) -> None:
        try:
            self._resident.engine(engine)
        except SakugaError as error:
            self._say_ready()
            self._lines.send(warm=engine, error=failure(error))
        else:
            self._say_ready()

    def _hold(self, name: str) -> Engine:
        if self._resident.has(name):
            return self._resident.engine(name)
        try:
            return self._resident.engine(name)
        finally:  # which may leave another in memory than before, or none
            self._say_ready()

    def _say_ready(self) -> None:
        held = self._resident.held
        self._lines.send(ready={"engine": held, "device": device() if held else None})

    def _draw(self, order: _Render) -> None:
        try:
            result = self._drawn(order).model_dump(mode="json")
        except SakugaError as error:
            held = self._resident.held
            job_id = str(order.render.get("job_id", ""))
            self._lines.send(handle=order.handle, error=failure(self._resident.doubt(error), job_id))
            if held != self._resident.held:
                self._say_ready()
        else:
            self._lines.send(handle=order.handle, result=result)
        finally:
            with self._turn:
                self._known.discard(order.handle)
                self._unwanted.discard(order.handle)

    def _drawn(self, order: _Render) -> Any:
        def send(progress: Progress) -> None:
            self._lines.send(handle=order.handle, progress=progress.model_dump(mode="json"))

        if self._stopped(order.handle):
            raise RenderCancelled
        request = read(json.dumps(order.render))
        telling = Telling(send, stopped=lambda: self._stopped(order.handle))
        if not self._resident.has(request.engine):
            telling.report("loading", 0, 1, 0.0)
        engine = self._hold(request.engine)
        telling.report("loading", 1, 1, LOADED)
        return render(engine, request, order.out, telling)

    def _stopped(self, handle: str) -> bool:
        return handle in self._unwanted


def read(line: str | bytes) -> RenderRequest:
    """Return the request of a line. Raises RenderFailed with a reason that repeats none of its words."""
    try:
        return RenderRequest.model_validate_json(line)
    except ValidationError as error:
        raise RenderFailed(reason=f"the request can't be read ({problem(error)})") from None  # it repeats the words


def problem(error: ValidationError) -> str:
    """Say what is wrong with a line, without what stands in it."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'the line'}: {first['msg']}"


def failure(error: SakugaError, job_id: str = "") -> dict[str, Any]:
    """Return an error as the parent reads it, and write to stderr, which the parent shows, where it came from.

    What is written begins with the job that it is about, if it is about one.
    """
    if error.__cause__:
        sys.stderr.write((f"{job_id}: " if job_id else "") + trace(error))
    return {"code": error.code, "data": error.data}


def serve(place: Place) -> None:
    """Draw until stdin ends, which ends this process."""
    desk = Desk(Lines(), place)
    hear(lines(), desk.take)
    desk.work()


def device() -> str:
    """Return the name of the card, as torch has it; `cpu` where there is none."""
    torch = sys.modules.get("torch")
    return str(torch.cuda.get_device_name()) if torch and torch.cuda.is_available() else "cpu"
