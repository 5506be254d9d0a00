"""Keys, on a real server; and the command that looks after them, as people run it."""

import os
import stat
from pathlib import Path

import pytest

from sakuga import keyring, store
from sakuga.errors import KeyNameInvalid, KeyNotFound, LinkSpent
from sakuga.keys import LOGIN_S, Keys
from sakuga.role import Role
from tests.fakes.valkey import Valkey
from tests.sakuga.test_main import run


@pytest.fixture
async def keys(valkey: Valkey):
    redis = store.connect(valkey.url)
    yield Keys(redis)
    await redis.aclose()


async def everything_in(keys: Keys) -> str:
    redis, told = keys._redis, ""
    for name in await redis.keys("*"):
        kind = await redis.type(name)
        told += f"{name} {await redis.hgetall(name) if kind == 'hash' else ''}"
        told += str(await redis.get(name)) if kind == "string" else ""
    return told


async def test_a_key_is_found_by_its_secret_and_by_nothing_else(keys: Keys) -> None:
    secret, made = await keys.new(Role.MODERATOR, "alice")
    assert secret.startswith("sk_")
    assert len(secret) >= 46
    assert await keys.find(secret) == made
    for other in (secret[:-1], secret.upper(), made.id, "alice", "", "\udcff"):
        assert await keys.find(other) is None


async def test_no_secret_and_no_code_is_stored(keys: Keys) -> None:
    secret, _ = await keys.new(Role.BOT, "bot")
    code = await keys.link(Role.MODERATOR, "alice")
    login, _ = await keys.enter(await keys.link(Role.MODERATOR, "bob"))
    stored = await everything_in(keys)
    assert "alice" in stored
    assert all(hidden not in stored for hidden in (secret, code, login))


async def test_a_revoked_key_is_gone_and_using_it_does_not_bring_it_back(keys: Keys) -> None:
    secret, key = await keys.new(Role.BOT, "bot")
    await keys.revoke(key.id)
    await keys.used(key.id)
    assert await keys.find(secret) is None
    assert await keys.all() == []
    assert await keys._redis.exists(store.KEYS, store.KEYS_USED) == 0


async def test_a_name_revokes_its_keys_its_logins_and_its_links(keys: Keys) -> None:
    secret, _ = await keys.new(Role.MODERATOR, "alice")
    login, _ = await keys.enter(await keys.link(Role.MODERATOR, "alice"))
    code = await keys.link(Role.MODERATOR, "alice")
    other, _ = await keys.new(Role.MODERATOR, "bob")
    await keys.revoke("alice")
    assert [await keys.find(gone) for gone in (secret, login)] == [None, None]
    assert await keys.find(other)
    with pytest.raises(LinkSpent):
        await keys.enter(code)
    with pytest.raises(KeyNotFound):
        await keys.revoke("alice")


async def test_a_link_works_once_and_its_login_ends_by_itself(keys: Keys) -> None:
    code = await keys.link(Role.BROADCASTER, "owner")
    secret, login = await keys.enter(code)
    assert (login.role, login.login) == (Role.BROADCASTER, True)
    assert login.expires_at == pytest.approx(login.created_at + LOGIN_S)
    with pytest.raises(LinkSpent):
        await keys.enter(code)
    ((hashed, document),) = (await keys._redis.hgetall(store.KEYS)).items()
    await keys._redis.hset(store.KEYS, hashed, document.replace(f"{login.expires_at}", "1.0"))
    assert await keys.find(secret) is None
    assert await keys.all() == []


async def test_leaving_ends_a_login_but_not_a_key(keys: Keys) -> None:
    login, _ = await keys.enter(await keys.link(Role.MODERATOR, "alice"))
    secret, _ = await keys.new(Role.MODERATOR, "alice")
    for each in (login, secret):
        await keys.leave(each)
    assert await keys.find(login) is None
    assert await keys.find(secret)


@pytest.mark.parametrize("name", ["", "a b", "x" * 41, "<b>", "a\nb"])
async def test_a_name_that_would_not_read_well_is_refused(keys: Keys, name: str) -> None:
    with pytest.raises(KeyNameInvalid):
        await keys.new(Role.BOT, name)


async def test_the_demos_file_is_its_owners_alone_and_is_made_anew_when_it_no_longer_works(
    keys: Keys, tmp_path: Path
) -> None:
    file = tmp_path / "demo.key"
    await keyring.keep(keys, file, Role.MODERATOR, "demo")
    first = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await keyring.keep(keys, file, Role.MODERATOR, "demo")
    assert file.read_text().strip() == first
    await keys.revoke("demo")
    await keyring.keep(keys, file, Role.MODERATOR, "demo")
    key = await keys.find(file.read_text().strip())
    assert key
    assert key.role is Role.MODERATOR
    assert [each.id for each in await keys.all()] == [key.id]
    assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == []  # noqa: PTH208 - not in a thread


async def test_the_command_makes_lists_and_revokes(keys: Keys, valkey: Valkey) -> None:
    folder = valkey.settings.var_dir
    secret = run("keys", "new", "moderator", "alice", var_dir=folder).stdout.strip()
    assert (await keys.find(secret)).role is Role.MODERATOR
    link = run("keys", "link", "--role", "moderator", "--name", "bob", var_dir=folder).stdout.strip()
    assert link.startswith("http://127.0.0.1:8420/login/code_")
    await keys.enter(link.rpartition("/")[2])
    listed = run("keys", "list", var_dir=folder).stdout
    assert "alice" in listed
    assert "login" in listed
    assert secret not in listed
    assert "revoked key_" in run("keys", "revoke", "alice", var_dir=folder).stdout
    assert await keys.find(secret) is None
    again = run("keys", "revoke", "alice", var_dir=folder)
    assert (again.returncode, "There is no key 'alice'" in again.stderr) == (2, True)
