"""Keys for tests: the one that a studio's own programs share, and others of any role."""

from sakuga import store
from sakuga.keys import Keys
from sakuga.role import Role

KEY = "sk_the-key-that-the-programs-of-a-studio-share"
BEARER = {"Authorization": f"Bearer {KEY}"}


async def bearer(redis: store.Client, role: Role, name: str = "alice") -> dict[str, str]:
    """Make a key and return the header that shows it."""
    secret, _ = await Keys(redis).new(role, name)
    return {"Authorization": f"Bearer {secret}"}
