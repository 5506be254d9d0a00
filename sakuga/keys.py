"""Keys: who may do what here, known by the SHA-256 of a secret that is shown once and stored nowhere.

A secret is 32 random bytes. A slow hash protects secrets that people choose; 256 random bits can't be guessed from a
fast one either, and a request must not cost a tenth of a second. A secret is looked up by its hash, so nothing secret
is compared letter by letter.
"""

import hashlib
import json
import secrets
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer
from ulid import ULID

from sakuga import store
from sakuga.errors import KeyNameInvalid, KeyNotFound, LinkSpent
from sakuga.role import Role

SECRET_PREFIX = "sk_"  # noqa: S105 - what scanners for secrets and our own log know a key by
CODE_PREFIX = "code_"
SECRET_BYTES = 32
LINK_S = 600
LOGIN_S = 30 * 86_400
LONGEST_NAME = 40
USED_EVERY_S = 60.0  # a key's last use is written at most so often


def _role(value: object) -> object:
    return Role.named(value) if isinstance(value, str) else value


class Key(BaseModel):
    """A key as stored. Times are seconds since 1970 by the broker's clock. A login is a key that ends by itself."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    role: Annotated[Role, BeforeValidator(_role), PlainSerializer(lambda role: role.label)]
    created_at: float
    expires_at: float | None = None
    last_used_at: float | None = None

    @property
    def login(self) -> bool:
        """Whether it was made by a one-time link, for a browser's cookie."""
        return self.expires_at is not None


class Keys:
    """All keys of one studio."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis

    async def new(self, role: Role, name: str) -> tuple[str, Key]:
        """Make a key and return its secret, which nobody can ask for again. Raises KeyNameInvalid."""
        return await self._new(role, name, None)

    async def _new(self, role: Role, name: str, lives_s: float | None) -> tuple[str, Key]:
        if not 0 < len(name) <= LONGEST_NAME or not all(sign.isalnum() or sign in "-_." for sign in name):
            raise KeyNameInvalid(name=name, longest=LONGEST_NAME)
        now = await store.clock(self._redis)
        key = Key(
            id=f"key_{ULID()}",
            name=name,
            role=role,
            created_at=now,
            expires_at=None if lives_s is None else now + lives_s,
        )
        secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(store.KEYS, digest(secret), key.model_dump_json(exclude_none=True))
            pipe.zadd(store.KEYS_USED, {key.id: 0})
            await pipe.execute()
        return secret, key

    async def find(self, secret: str) -> Key | None:
        """Return the key of a secret, or None for one that is not, or no longer, worth anything."""
        document = await self._redis.hget(store.KEYS, digest(secret))
        if document is None:
            return None
        key = Key.model_validate_json(document)
        return None if key.expires_at is not None and await store.clock(self._redis) >= key.expires_at else key

    async def used(self, key_id: str) -> None:
        """Write down that a key was used now. One that was revoked meanwhile stays away."""
        await self._redis.zadd(store.KEYS_USED, {key_id: await store.clock(self._redis)}, xx=True)

    async def all(self) -> list[Key]:
        """Return all keys with their last use, oldest first. Logins that have ended are swept out."""
        now, found = await store.clock(self._redis), await self._redis.hgetall(store.KEYS)
        used = dict(await self._redis.zrange(store.KEYS_USED, 0, -1, withscores=True))
        keys = {hashed: Key.model_validate_json(document) for hashed, document in found.items()}
        ended = {hashed: key for hashed, key in keys.items() if key.expires_at is not None and now >= key.expires_at}
        await self._forget(ended)
        left = (key for hashed, key in keys.items() if hashed not in ended)
        return sorted(
            (key.model_copy(update={"last_used_at": used.get(key.id) or None}) for key in left),
            key=lambda key: key.id,
        )

    async def revoke(self, name: str) -> list[Key]:
        """Forget the key of that id, or all keys and logins of that name, and the links that lead to it.

        Returns those that were forgotten. Raises KeyNotFound. A gateway refuses them within 2 s.
        """
        found = {
            hashed: Key.model_validate_json(document)
            for hashed, document in (await self._redis.hgetall(store.KEYS)).items()
        }
        gone = {hashed: key for hashed, key in found.items() if name in {key.id, key.name}}
        async for link in self._redis.scan_iter(match=f"{store.LINK_PREFIX}*"):
            document = await self._redis.get(link)
            if document and json.loads(document)["name"] == name:
                await self._redis.delete(link)
                gone.setdefault("", Key(id="link", created_at=0, **json.loads(document)))
        if not gone:
            raise KeyNotFound(name=name)
        await self._forget(gone)
        return sorted(gone.values(), key=lambda key: key.id)

    async def _forget(self, gone: dict[str, Key]) -> None:
        if gone:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hdel(store.KEYS, *gone)
                pipe.zrem(store.KEYS_USED, *(key.id for key in gone.values()))
                await pipe.execute()

    async def link(self, role: Role, name: str) -> str:
        """Return a code that logs a browser in once, within 10 minutes."""
        code = CODE_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        document = json.dumps({"role": role.label, "name": name})
        await self._redis.set(store.LINK_PREFIX + digest(code), document, ex=LINK_S)
        return code

    async def home(self) -> str | None:
        """Return the address that the gateway last said it has."""
        url = await self._redis.hget(store.STUDIO, "url")
        return str(url) if url else None

    async def enter(self, code: str) -> tuple[str, Key]:
        """Spend a link's code and return the login's secret and key. Raises LinkSpent."""
        document = await self._redis.getdel(store.LINK_PREFIX + digest(code))
        if document is None:
            raise LinkSpent
        told = json.loads(document)
        return await self._new(Role.named(told["role"]), told["name"], LOGIN_S)

    async def leave(self, secret: str) -> None:
        """End the login of a secret. A key that is none stays: it may be in use elsewhere."""
        key = await self.find(secret)
        if key is not None and key.login:
            await self._forget({digest(secret): key})


def digest(secret: str) -> str:
    """Return what is stored in a secret's place."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
