"""The signature by which other programs' messages are known, as Standard Webhooks has it."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping

from pydantic import SecretStr

from sakuga.errors import SignatureInvalid

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with
VERSION = "v1"
TOLERANCE_S = 300  # how far a message's time may be from ours
MESSAGE_ID = re.compile(r"[!-~]{1,100}")
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def verify(secret: SecretStr | None, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
    """Check who wrote a message, and when; `now` is seconds since 1970. Raises SignatureInvalid."""
    if secret is None:
        raise SignatureInvalid(problem="This studio has no SAKUGA_INBOUND_SECRET, so it takes no messages.")
    message_id, moment = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not MESSAGE_ID.fullmatch(message_id) or not re.fullmatch(r"[0-9]{1,12}", moment):
        raise SignatureInvalid(problem=f"The message lacks {ID} or {TIMESTAMP}, or they can't be read.")
    right = signature(secret.get_secret_value(), message_id, moment, body).encode()
    told = headers.get(SIGNATURE, "").encode().split(b" ")
    if not any(hmac.compare_digest(right, one) for one in told):  # several while a secret is changed
        raise SignatureInvalid(problem="The signature is not the one that SAKUGA_INBOUND_SECRET makes.")
    if abs(now - int(moment)) > TOLERANCE_S:
        raise SignatureInvalid(problem=f"{TIMESTAMP} is more than five minutes from this machine's clock.")


def signature(secret: str, message_id: str, moment: str, body: bytes) -> str:
    """Return the signature of a message, `v1,` and base64; `secret` is `whsec_` and base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{message_id}.{moment}.".encode() + body
    return f"{VERSION},{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}"
