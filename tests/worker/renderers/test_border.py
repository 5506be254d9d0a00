"""Whatever Modal raises is one of our errors: the table, and the same as the real client raises it."""

import inspect
from time import monotonic

import pytest
from grpclib import GRPCError, Status
from grpclib.exceptions import StreamTerminatedError
from modal import exception

from sakuga.errors import (
    QuotaExhausted,
    RenderCancelled,
    RendererNotDeployed,
    RendererUnauthorised,
    RendererUnavailable,
    RenderFailed,
    RenderLost,
    RenderTimedOut,
    SakugaError,
)
from tests.fakes.modal_calls import Outcome
from tests.worker.renderers.conftest import QUICK, REQUEST, Rented
from worker.renderers.border import Border, unanswered

BORDER = Border(app="sakuga", timeout_s=1200)

TABLE: list[tuple[Exception, type[SakugaError], str]] = [
    (exception.NotFoundError("Lookup failed"), RendererNotDeployed, "sakuga"),
    (exception.AuthError("Token missing. Could not authenticate client."), RendererUnauthorised, "there is none"),
    (exception.AuthError("Token ak-123 is not known"), RendererUnauthorised, "not valid"),
    (exception.PermissionDeniedError("no"), RendererUnauthorised, "may not"),
    (exception.ResourceExhaustedError("Spend limit reached. See …"), QuotaExhausted, "Spend limit reached"),
    (exception.OutputExpiredError(), RenderLost, "lost"),
    (exception.FunctionTimeoutError("took too long"), RenderTimedOut, "1200"),
    (exception.RemoteError("Input was cancelled."), RenderCancelled, "stopped"),
    (exception.RemoteError(), RenderCancelled, "stopped"),
    (exception.RemoteError("Container ran out of memory"), RenderFailed, "ran out of memory"),
    (exception.ExecutionError("Could not deserialize remote exception"), RenderFailed, "can't be read"),
    (exception.DeserializationError("no module"), RenderFailed, "can't be read"),
    (exception.InternalFailure("oops"), RendererUnavailable, "itself"),
    (exception.InvalidError("Invalid GPU type: H1000"), RenderFailed, "H1000"),
    (exception.ConflictError("App is stopped"), RenderFailed, "App is stopped"),
    (exception.ServiceError("502"), RendererUnavailable, "ServiceError"),
    (exception.InternalError("500"), RendererUnavailable, "InternalError"),
    (exception.ConnectionError("refused"), RendererUnavailable, "ConnectionError"),
    (exception.TimeoutError("no"), RendererUnavailable, "TimeoutError"),
    (exception.VersionError("too old"), RendererUnavailable, "VersionError"),
    (exception.ClientClosed(1), RendererUnavailable, "ClientClosed"),
    (StreamTerminatedError("gone"), RendererUnavailable, "StreamTerminatedError"),
    (GRPCError(Status.UNAVAILABLE, "gone"), RendererUnavailable, "GRPCError"),
    (OSError("no route"), RendererUnavailable, "OSError"),
    (RenderFailed(reason="as it was"), RenderFailed, "as it was"),
    (KeyError("a viewer's words"), RenderFailed, "KeyError in its container"),
]


@pytest.mark.parametrize(("raised", "meant", "said"), TABLE, ids=lambda value: getattr(value, "__name__", None))
def test_each_exception_has_a_meaning_and_a_sentence(raised: Exception, meant: type[SakugaError], said: str) -> None:
    found = BORDER.translated(raised)
    assert type(found) is meant
    assert said in str(found)
    assert "ak-" not in str(found)
    assert "viewer" not in str(found)


def test_no_exception_of_the_client_is_left_without_a_meaning() -> None:
    kinds = [kind for _, kind in inspect.getmembers(exception, inspect.isclass) if issubclass(kind, exception.Error)]
    assert len(kinds) > 30
    for kind in kinds:
        found = BORDER.translated(kind.__new__(kind, ""))
        assert not str(found).count("in its container") or "can't be read" in str(found) or "broke" in str(found)


def test_a_question_may_be_asked_again_where_there_was_no_answer() -> None:
    away, broken = RendererUnavailable(reason="away"), RendererUnavailable(reason="broken")
    broken.__cause__ = exception.InternalFailure("oops")
    assert unanswered(away)
    assert unanswered(QuotaExhausted(provider="Modal", reason="too many"))
    assert not unanswered(broken)
    assert not unanswered(RenderLost())


@pytest.mark.parametrize(
    ("rpc", "status", "meant"),
    [
        ("ClassGet", Status.NOT_FOUND, RendererNotDeployed),
        ("*", Status.UNAUTHENTICATED, RendererUnauthorised),
        ("FunctionMap", Status.PERMISSION_DENIED, RendererUnauthorised),
        ("FunctionMap", Status.RESOURCE_EXHAUSTED, QuotaExhausted),
        ("FunctionMap", Status.INVALID_ARGUMENT, RenderFailed),
        ("FunctionMap", Status.UNIMPLEMENTED, RendererUnavailable),
        ("DictGetOrCreate", Status.DATA_LOSS, RendererUnavailable),
    ],
)
async def test_a_start_that_modal_refuses_says_why(
    rented: Rented, rpc: str, status: Status, meant: type[SakugaError]
) -> None:
    rented.fake.troubles[rpc] = (status, "no")
    with pytest.raises(meant):
        await rented.renderer().start(REQUEST)


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        (Outcome.GENERIC_STATUS_TIMEOUT, RenderTimedOut),
        (Outcome.GENERIC_STATUS_TERMINATED, RenderCancelled),
        (Outcome.GENERIC_STATUS_INTERNAL_FAILURE, RendererUnavailable),
        (Outcome.GENERIC_STATUS_INIT_FAILURE, RenderFailed),
        (Outcome.GENERIC_STATUS_KERNEL_OOM_KILL, RenderFailed),
    ],
)
async def test_a_call_that_modal_ends_says_how(
    rented: Rented, status: "Outcome.GenericStatus", meant: type[SakugaError]
) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    rented.fake.end(call, status, "" if meant is RenderCancelled else "it broke")
    with pytest.raises(meant):
        await renderer.result(handle)


async def test_a_token_that_is_not_known_is_refused_without_being_named(rented: Rented) -> None:
    async with rented.fake.client(("ak-stranger", "as-stranger")) as stranger:
        with pytest.raises(RendererUnauthorised) as refused:
            await rented.renderer(client=stranger).start(REQUEST)
    assert "stranger" not in str(refused.value)


@pytest.mark.parametrize("how", ["silent", "stopped"])
async def test_that_nobody_answers_is_known_within_seconds(rented: Rented, how: str) -> None:
    renderer = rented.renderer()
    if how == "silent":
        rented.fake.silent = True
    else:
        await rented.fake.stop()
    began = monotonic()
    with pytest.raises(RendererUnavailable):
        await (renderer.start(REQUEST) if how == "silent" else renderer.warm())
    assert monotonic() - began < 2 * QUICK.answer
