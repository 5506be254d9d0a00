"""FakeHub: repositories on loopback that answer as the Hub does, to its own client and to ours."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from huggingface_hub import close_session, constants

PIECE = 64 * 1024


@dataclass
class Trouble:
    """What befalls a file on its way: after so many bytes the connection breaks, or waits for `resume`."""

    after: int
    times: int = 1
    hold: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    resume: threading.Event = field(default_factory=threading.Event)


@dataclass
class Repository:
    """Files by path. `token` is what a gated one asks for."""

    commit: str
    files: dict[str, bytes]
    token: str | None = None


@dataclass(frozen=True)
class Asked:
    """One request that was heard."""

    method: str
    path: str
    start: int
    token: str | None


class FakeHub:
    """Serves until the `with` block ends. Large files, the safetensors, are sent from another origin, by redirect."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.asked: list[Asked] = []
        self.troubles: dict[str, Trouble] = {}
        self.status: HTTPStatus | None = None  # answers everything with it
        self.tokens: set[str] | None = None  # those that it has given out; others are refused
        self.ranges = True  # whether a part of a file can be asked for
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"hub": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="hub")
        port = self._server.server_address[1]
        self.url, self.store = f"http://127.0.0.1:{port}", f"http://localhost:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for trouble in self.troubles.values():
            trouble.resume.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(
        self, name: str, files: Mapping[str, bytes] | Path, token: str | None = None, commit: str | None = None
    ) -> str:
        """Publish a repository, or its next commit, and return the commit."""
        if isinstance(files, Path):
            found = (path for path in sorted(files.rglob("*")) if path.is_file())
            files = {path.relative_to(files).as_posix(): path.read_bytes() for path in found}
        content = [name, *(f"{path} {hashlib.sha256(text).hexdigest()}" for path, text in sorted(files.items()))]
        commit = commit or hashlib.sha1("\n".join(content).encode()).hexdigest()
        self.repositories[name] = Repository(commit, dict(files), token)
        return commit

    def cut(self, path: str, after: int, times: int = 1) -> Trouble:
        """Break the connection after so many bytes of a file, so many times."""
        self.troubles[path] = Trouble(after, times)
        return self.troubles[path]

    def hold(self, path: str, after: int) -> Trouble:
        """Send so many bytes of a file, set `reached`, and wait for `resume`."""
        self.troubles[path] = Trouble(after, hold=True)
        return self.troubles[path]

    def loads(self, path: str) -> list[Asked]:
        """Return the requests for a file's bytes."""
        return [each for each in self.asked if each.method == "GET" and each.path.endswith(f"/{path}")]


@contextmanager
def fake_hub(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[FakeHub]:
    """Run one, for a client that has no token, no proxy and no connection from before."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "no token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    close_session()
    with FakeHub() as running:
        yield running
    close_session()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path, query = unquote(address.path), parse_qs(address.query)
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ") or None
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.hub.asked.append(Asked(self.command, path, start, token))
        match path.strip("/").split("/"):
            case _ if self.hub.status:
                self._refuse(self.hub.status)
            case _ if token and self.hub.tokens is not None and token not in self.hub.tokens:
                message = "Invalid credentials in Authorization header"
                self._refuse(HTTPStatus.UNAUTHORIZED, headers={"X-Error-Message": message})
            case ["api", "models", owner, name, *rest]:
                self._describe(f"{owner}/{name}", rest, token, blobs="blobs" in query)
            case ["store", owner, name, *parts]:
                self._send_file(self.hub.repositories[f"{owner}/{name}"], "/".join(parts), start)
            case [owner, name, "resolve", revision, *parts]:
                self._resolve(f"{owner}/{name}", revision, "/".join(parts), token, start)
            case _:
                self._refuse(HTTPStatus.NOT_FOUND, "RepoNotFound")

    def _allowed(self, name: str, revision: str, token: str | None) -> Repository | None:
        found = self.hub.repositories.get(name)
        if found is None:
            self._refuse(HTTPStatus.UNAUTHORIZED, "RepoNotFound")
        elif revision not in {"main", found.commit}:
            self._refuse(HTTPStatus.NOT_FOUND, "RevisionNotFound")
        elif found.token and token is None:
            self._refuse(HTTPStatus.UNAUTHORIZED, "GatedRepo")
        elif found.token and token != found.token:
            self._refuse(HTTPStatus.FORBIDDEN, "GatedRepo")
        else:
            return found
        return None

    def _describe(self, name: str, rest: list[str], token: str | None, *, blobs: bool) -> None:
        kind, revision = rest[:2] if rest else ("revision", "main")
        # The Hub describes a gated repository to everybody; only its files are kept back.
        known = self.hub.repositories.get(name)
        found = self._allowed(name, revision, known.token if known else token)
        if found is None:
            return
        if kind == "tree":
            self._say([{"type": "file", "path": path, **_oid(text)} for path, text in found.files.items()])
            return
        siblings = [{"rfilename": path} | (_blob(path, text) if blobs else {}) for path, text in found.files.items()]
        self._say({"id": name, "modelId": name, "sha": found.commit, "siblings": siblings, "tags": []})

    def _resolve(self, name: str, revision: str, path: str, token: str | None, start: int) -> None:
        found = self._allowed(name, revision, token)
        if found is None:
            return
        if path not in found.files:
            self._refuse(HTTPStatus.NOT_FOUND, "EntryNotFound", {"X-Repo-Commit": found.commit})
            return
        text = found.files[path]
        if not _large(path):
            self._send_file(found, path, start)
            return
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", f"{self.hub.store}/store/{name}/{path}?Signature=secret")
        self.send_header("X-Repo-Commit", found.commit)
        self.send_header("X-Linked-Size", str(len(text)))
        self.send_header("X-Linked-Etag", f'"{_etag(path, text)}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_file(self, repository: Repository, path: str, start: int) -> None:
        text = repository.files[path]
        whole = len(text)
        partly = self.hub.ranges and "Range" in self.headers
        rest = text[start:] if partly else text
        self.send_response(HTTPStatus.PARTIAL_CONTENT if partly else HTTPStatus.OK)
        if partly:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("ETag", f'"{_etag(path, text)}"')
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if self.command == "GET":
            self._send(path, rest)

    def _send(self, path: str, rest: bytes) -> None:
        trouble = self.hub.troubles.get(path)
        if trouble is None or not trouble.times:
            self._write(rest)
            return
        trouble.times -= 1
        self._write(rest[: trouble.after])
        trouble.reached.set()
        if trouble.hold:
            trouble.resume.wait()
            self._write(rest[trouble.after :])
        self.close_connection = True

    def _write(self, text: bytes) -> None:
        try:
            for begin in range(0, len(text), PIECE):
                self.wfile.write(text[begin : begin + PIECE])
            self.wfile.flush()
        except OSError:  # the reader has gone
            self.close_connection = True

    def _say(self, document: Any) -> None:
        text = json.dumps(document).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _refuse(self, status: HTTPStatus, code: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def _large(path: str) -> bool:
    return path.endswith((".safetensors", ".bin", ".pt"))


def _oid(text: bytes) -> dict[str, Any]:
    return {"oid": hashlib.sha1(b"blob %d\0" % len(text) + text).hexdigest(), "size": len(text)}


def _blob(path: str, text: bytes) -> dict[str, Any]:
    blob = {"size": len(text), "blobId": _oid(text)["oid"]}
    large = {"sha256": hashlib.sha256(text).hexdigest(), "size": len(text), "pointerSize": 134}
    return blob | ({"lfs": large} if _large(path) else {})


def _etag(path: str, text: bytes) -> str:
    return hashlib.sha256(text).hexdigest() if _large(path) else _oid(text)["oid"]
