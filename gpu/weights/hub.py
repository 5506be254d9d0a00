"""The Hub: what its repositories hold, and the bytes of it. A refusal is told as what to do about it."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import httpx2
from huggingface_hub import HfApi, constants, errors, get_session, get_token, hf_hub_url, hf_raise_for_status

from sakuga.errors import WeightsUnreachable

ANSWER_S = 10.0
"""How long a question may stay without an answer."""

SILENCE_S = 30.0
"""After so many seconds without a byte a connection is given up and made again."""

PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Waits before a file is asked for again. New bytes begin them anew; after the last, it is given up."""

DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
BUSY = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repository at a commit."""

    repository: str
    commit: str
    path: str
    size: int  # bytes
    etag: str  # SHA-256 of a large file, git's SHA-1 of a small one


class Stopped(Exception):
    """The download was asked to stop."""


class Hub:
    """Questions to the Hub, or to another one at `endpoint`. HF_TOKEN is read by the Hub's own client."""

    def __init__(self, endpoint: str | None = None) -> None:
        # Otherwise the client first asks for a list of agents, for up to 3 s, to tell the Hub which one runs it.
        constants.HF_HUB_DISABLE_TELEMETRY = True
        self._endpoint = endpoint
        self._api = HfApi(endpoint=endpoint, library_name="sakuga")

    def listing(self, repository: str, revision: str) -> dict[str, RemoteFile]:
        """Return the files of a repository by their paths. Raises WeightsUnreachable."""
        with _told(repository):
            info = self._api.model_info(repository, revision=revision, files_metadata=True, timeout=ANSWER_S)
        files, commit = {}, info.sha or ""
        for each in info.siblings or []:
            path, etag = each.rfilename, (each.lfs.sha256 if each.lfs else each.blob_id) or ""
            if not (DIGEST.fullmatch(commit) and DIGEST.fullmatch(etag) and _inside(path)):
                raise WeightsUnreachable(repository=repository, reason=f"its list of files is wrong at {path}")
            files[path] = RemoteFile(repository, commit, path, each.size or 0, etag)
        return files

    def text(self, file: RemoteFile) -> str:
        """Return the text of a small file. Raises WeightsUnreachable."""
        with _told(file.repository):
            answer = get_session().get(self._url(file), headers=self._headers(), timeout=ANSWER_S)
            hf_raise_for_status(answer)
            return answer.text

    def bring(self, file: RemoteFile, part: Path, heard: Callable[[int], None], stopping: threading.Event) -> None:
        """Append to `part` what it lacks of a file, telling `heard` the bytes of each piece; less than 0 takes back.

        A connection that breaks is made again where it broke. Raises WeightsUnreachable, Stopped, and OSError of the
        disk. What arrived stays in `part`.
        """
        with _told(file.repository), part.open("ab") as target:
            pauses = iter(PAUSES_S)
            while (begin := target.tell()) < file.size:
                broken: Exception | None = None
                try:
                    self._stream(file, target, heard, stopping)
                except (httpx2.TransportError, errors.HfHubHTTPError) as error:
                    if isinstance(error, errors.HfHubHTTPError) and error.response.status_code not in BUSY:
                        raise
                    broken = error
                if target.tell() > begin:
                    pauses = iter(PAUSES_S)
                elif (pause := next(pauses, None)) is None:
                    raise broken or httpx2.ReadError("the Hub sent nothing")
                elif stopping.wait(pause):
                    raise Stopped

    def _stream(
        self, file: RemoteFile, target: BinaryIO, heard: Callable[[int], None], stopping: threading.Event
    ) -> None:
        begin = target.tell()
        headers = self._headers() | {"Accept-Encoding": "identity"}
        if begin:
            headers["Range"] = f"bytes={begin}-"
        # The address is asked for anew each time: the one that it leads to is signed and runs out.
        with get_session().stream("GET", self._url(file), headers=headers, timeout=SILENCE_S) as answer:
            hf_raise_for_status(answer)
            if begin and answer.status_code == httpx2.codes.OK:  # all of it again
                target.truncate(0)
                heard(-begin)
            for piece in answer.iter_bytes():
                if stopping.is_set():
                    raise Stopped
                target.write(piece)
                heard(len(piece))

    def _url(self, file: RemoteFile) -> str:
        return hf_hub_url(file.repository, file.path, revision=file.commit, endpoint=self._endpoint)

    def _headers(self) -> dict[str, str]:
        token = get_token()
        return {"user-agent": "sakuga"} | ({"authorization": f"Bearer {token}"} if token else {})


@contextmanager
def _told(repository: str) -> Iterator[None]:
    """Raise WeightsUnreachable for whatever the Hub or the way to it refuses. No address and no token is repeated."""
    try:
        yield
    except errors.GatedRepoError as error:
        page = f"https://huggingface.co/{repository}"
        reason = f"its owner wants its terms accepted: do so at {page}, then set HF_TOKEN to a token of that account"
        raise WeightsUnreachable(repository=repository, reason=reason) from error
    except errors.RepositoryNotFoundError as error:
        reason = "there is none, or it is private: then set HF_TOKEN to a token that may read it"
        raise WeightsUnreachable(repository=repository, reason=reason) from error
    except errors.RevisionNotFoundError as error:
        raise WeightsUnreachable(repository=repository, reason="its owner has taken that commit away") from error
    except errors.HfHubHTTPError as error:
        raise WeightsUnreachable(repository=repository, reason=_status(error.response.status_code)) from error
    except errors.OfflineModeIsEnabled as error:
        raise WeightsUnreachable(repository=repository, reason="HF_HUB_OFFLINE is set") from error
    except httpx2.HTTPError as error:
        what = "the Hub does not answer" if isinstance(error, httpx2.TimeoutException) else "the Hub can't be reached"
        reason = f"{what}; look at your network and at status.huggingface.co"
        raise WeightsUnreachable(repository=repository, reason=reason) from error


def _inside(path: str) -> bool:
    """Whether a path stays in the folder that it is put into."""
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts


def _status(status: int) -> str:
    return {
        401: "HF_TOKEN is refused; make a new token at https://huggingface.co/settings/tokens",
        403: "HF_TOKEN may not read it",
        404: "a file of it is gone",
        429: "the Hub wants fewer questions; wait some minutes",
    }.get(status, f"the Hub answered {status}")
