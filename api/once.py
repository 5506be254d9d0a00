"""Once: the Idempotency-Key, under which the same request is carried out one time only."""

import hashlib
import json
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="A name for this request, such as the chat message's id. Sent again, it returns the first answer.",
    ),
]


def fingerprint_of(request: BaseModel) -> str:
    """Return what tells two requests apart that come under the same key."""
    said = json.dumps(request.model_dump(), sort_keys=True, default=str).encode()
    return hashlib.blake2b(said, digest_size=16).hexdigest()
