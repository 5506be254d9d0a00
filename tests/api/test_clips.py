import httpx
import pytest

from sakuga.clip import Clip

WHOLE = bytes(range(256)) * 4


async def test_the_gallery_lists_clips_with_all_that_made_them(http: httpx.AsyncClient, stored_clip: Clip) -> None:
    document = (await http.get("/clips")).json()
    assert document["next_before"] is None
    (listed,) = document["clips"]
    assert listed == (await http.get(f"/clips/{stored_clip.id}")).json()
    assert (listed["cut"], listed["seed"], listed["resolution"]) == ("C-042", 7, "832x480")
    assert (listed["engine"], listed["renderer"], listed["preset"]) == ("rehearsal", "rehearsal", "live")
    assert (listed["mode"], listed["characters"], listed["num_frames"]) == ("text-to-video", [], 81)
    assert listed["has_sound"] is False
    assert listed["requested_by"] == {"platform": "twitch", "login": "mika", "display_name": "Mika"}


async def test_a_video_comes_whole_with_its_name_and_may_be_kept_for_ever(
    http: httpx.AsyncClient, stored_clip: Clip
) -> None:
    answer = await http.get(f"/clips/{stored_clip.id}/video")
    assert (answer.status_code, answer.content) == (200, WHOLE)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "C-042" in answer.headers["Content-Disposition"]
    again = await http.get(f"/clips/{stored_clip.id}/video", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=-5000", 0, 1024),
        ("bytes=1000-9999", 1000, 1024),
        ("bytes=0-0", 0, 1),
    ],
)
async def test_a_range_is_sent_as_that_range(
    http: httpx.AsyncClient, stored_clip: Clip, asked: str, start: int, end: int
) -> None:
    answer = await http.get(f"/clips/{stored_clip.id}/video", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, WHOLE[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/1024"
    assert answer.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5-3", "bytes=9999-99999", "bytes=-0"])
async def test_a_range_outside_of_the_file_is_416_with_its_size(
    http: httpx.AsyncClient, stored_clip: Clip, asked: str
) -> None:
    answer = await http.get(f"/clips/{stored_clip.id}/video", headers={"Range": asked})
    assert (answer.status_code, answer.json()["error"]["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-9", "lines=1-2", "bytes=", "bytes=-", "nonsense"])
async def test_what_is_no_single_byte_range_is_ignored(http: httpx.AsyncClient, stored_clip: Clip, asked: str) -> None:
    answer = await http.get(f"/clips/{stored_clip.id}/video", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, WHOLE)


async def test_a_poster_is_a_jpeg(http: httpx.AsyncClient, stored_clip: Clip) -> None:
    answer = await http.get(f"/clips/{stored_clip.id}/poster")
    assert (answer.headers["Content-Type"], answer.content[:2]) == ("image/jpeg", b"\xff\xd8")


@pytest.mark.parametrize("path", ["/clips/clip_nobody", "/clips/clip_nobody/video", "/clips?before=clip_nobody"])
async def test_an_unknown_clip_is_404(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "clip_not_found")
