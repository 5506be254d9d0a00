"""An inquiry: a question to somebody else's server, whose answer may be anything."""

from collections.abc import Mapping
from typing import Any

import httpx

ANSWER_LIMIT = 256 * 1024  # bytes
FAILURES = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError)
"""What asking and reading can end with; a ValidationError is a ValueError, and repeats what it was given."""


async def inquire(http: httpx.AsyncClient, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """Send JSON and return the answer. Raises one of FAILURES, also for a status that is no success, and a long one."""
    async with http.stream("POST", url, json=dict(body), headers=dict(headers)) as response:
        response.raise_for_status()
        answer = bytearray()
        async for part in response.aiter_bytes():
            answer += part
            if len(answer) > ANSWER_LIMIT:
                msg = "the answer is too long"
                raise ValueError(msg)
    return bytes(answer)
