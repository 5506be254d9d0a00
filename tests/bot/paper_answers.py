"""What PaperGateway answers with: the gateway's refusals and its tagged documents."""

import hashlib
import json
from typing import Any

from aiohttp import web


def refusal(status: int, code: str, message: str, **headers: str) -> web.Response:
    error = {"code": code, "message": message, "type": "invalid_request_error", "param": None}
    return web.json_response(
        {"error": error}, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def tagged(request: web.Request, document: dict[str, Any]) -> web.Response:
    etag = f'"{hashlib.sha256(json.dumps(document).encode()).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers={"ETag": etag})
    return web.json_response(document, headers={"ETag": etag})
