"""The border to Modal: how long it may take to answer, and what it raises in our words."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import modal
from aiohttp import ClientError
from grpclib import GRPCError
from grpclib.exceptions import StreamTerminatedError
from modal.exception import (
    AuthError,
    Error,
    NotFoundError,
    PermissionDeniedError,
    ResourceExhaustedError,
    ServiceError,
)
from modal.exception import ConnectionError as Unreachable

from sakuga.errors import (
    CloudFailed,
    QuotaExhausted,
    RendererNotDeployed,
    RendererUnauthorised,
    SakugaError,
    SettingsInvalid,
)

PATIENCE_S = 8.0
"""Seconds for a first answer: the client by itself tries for 56 until it gives up."""
SILENT_S = 1.0
"""Seconds after which somebody at a terminal is told what is waited for."""
ANSWER_S = 30.0
UNREACHABLE = "it can't be reached. Look at your network and at status.modal.com."


@asynccontextmanager
async def border(app: str, limit_s: float = ANSWER_S, *, absent: SakugaError | None = None) -> AsyncIterator[None]:
    """Raise what Modal raises within as ours. `absent` is for what is not found; by default the app is not deployed.

    Raises CloudFailed, RendererNotDeployed, RendererUnauthorised, QuotaExhausted, and SettingsInvalid for a file here.
    """
    try:
        async with asyncio.timeout(limit_s):
            yield
    except NotFoundError as error:
        raise absent or RendererNotDeployed(app=app) from error
    except AuthError as error:  # the rest of its sentence may name the token
        raise RendererUnauthorised(reason="there is none" if "missing" in str(error) else "it is not valid") from error
    except ResourceExhaustedError as error:
        raise QuotaExhausted(provider="Modal", reason=_sentence(error)) from error
    except PermissionDeniedError as error:
        reason = (
            f"the token may not do it ({_sentence(error)}). Take one of a workspace that may: .venv/bin/modal setup"
        )
        raise CloudFailed(reason=reason) from error
    except OSError as error:
        if error.filename:  # of this PC: the network has none
            raise SettingsInvalid(problem=f"{error.filename} can't be used ({error.strerror}).") from error
        raise CloudFailed(reason=UNREACHABLE) from error
    except (Unreachable, ServiceError) as error:
        raise CloudFailed(reason=UNREACHABLE) from error
    except Error as error:
        reason = f"{_sentence(error)} ({type(error).__name__}). Try again; status.modal.com tells of outages."
        raise CloudFailed(reason=reason) from error
    except (GRPCError, StreamTerminatedError, ClientError) as error:  # below its client, and passed on as they are
        raise CloudFailed(reason=UNREACHABLE) from error


async def knock(app: str) -> modal.Client:
    """Return a client that Modal has answered. Raises what `border` raises, within seconds."""
    waiting = asyncio.get_running_loop().call_later(SILENT_S, _told)
    try:
        async with border(app, PATIENCE_S):
            client = await modal.Client.from_env.aio()
            await client.hello.aio()
    finally:
        waiting.cancel()
    return client


def _told() -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"Asking Modal, for up to {PATIENCE_S:g} s …\n")
        sys.stderr.flush()


def _sentence(error: Exception) -> str:
    first, _, _ = (str(error).strip() or type(error).__name__).partition("\n")
    return first.partition(". ")[0].rstrip(".")[:200]
