import httpx
import pytest

from sakuga import store

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost:8420", "localhost", "[::1]:8420"])
async def test_this_machine_is_answered_by_any_of_its_names(http: httpx.AsyncClient, host: str) -> None:
    assert (await http.get("/queue", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "169.254.169.254", "", "[", "a@b"])
async def test_a_foreign_host_name_gets_nothing(http: httpx.AsyncClient, host: str) -> None:
    for path in ("/queue", "/", "/overlay", "/openapi.json"):
        answer = await http.get(path, headers={"Host": host})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host_not_allowed")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_can_change_nothing(
    http: httpx.AsyncClient, redis: store.Client, headers: dict[str, str]
) -> None:
    for method, path, body in (("POST", "/generate", {"prompt": "cat"}), ("PUT", "/stage", {"state": "dumped"})):
        answer = await http.request(method, path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")
    assert await redis.zcard(store.WAITING) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    ],
)
async def test_another_site_can_not_read_what_waits(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for path in ("/queue", "/stage", "/me", "/openapi.json", "/events"):
        answer = await http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed"), path


async def test_a_link_to_a_page_or_a_clip_may_be_followed_from_anywhere(http: httpx.AsyncClient) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for path in ("/", "/overlay", "/docs", "/login/code_x"):
        assert (await http.get(path, headers=followed)).status_code == 200, path
    for path in ("/clips/none/video", "/clips/none/poster"):
        assert (await http.get(path, headers=followed)).json()["error"]["code"] == "clip_not_found"
    framed = {**followed, "Sec-Fetch-Dest": "iframe"}
    assert (await http.get("/overlay", headers=framed)).status_code == 403


async def test_the_studios_own_page_may(http: httpx.AsyncClient) -> None:
    own = {"Origin": "http://127.0.0.1:8420", "Sec-Fetch-Site": "same-origin"}
    assert (await http.post("/generate", json={"prompt": "cat"}, headers=own)).status_code == 202


async def test_no_answer_invites_other_sites(http: httpx.AsyncClient) -> None:
    for path in ("/queue", "/", "/overlay", "/docs"):
        headers = (await http.get(path, headers={"Origin": "https://evil.example"})).headers
        assert "access-control-allow-origin" not in headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_only_json_is_taken(http: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await http.post("/generate", content=b'{"prompt":"cat"}', headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "media_type_unsupported")


async def test_a_huge_body_is_refused_by_its_length_and_without_one(http: httpx.AsyncClient) -> None:
    answer = await http.post("/generate", content=b"x" * 2 * 1024 * 1024, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")

    async def chunks():
        for _ in range(2048):
            yield b"x" * 1024

    answer = await http.post("/generate", content=chunks(), headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("length", ["x", "-1", "99999999999999999999999999", "1e3"])
async def test_a_nonsense_length_is_an_answer_and_no_crash(http: httpx.AsyncClient, length: str) -> None:
    answer = await http.post("/generate", content=b"{}", headers={**JSON, "Content-Length": length})
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"]


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/generate"), ("GET", "/generate"), ("POST", "/queue"), ("PATCH", "/stage")]
)
async def test_a_wrong_method_is_told_the_right_ones(http: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await http.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] in answer.json()["error"]["message"]


async def test_an_unknown_address_is_told_in_the_envelope(http: httpx.AsyncClient) -> None:
    for path in (
        "/nowhere",
        "/studio/nowhere.js",
        "/overlay/../../pyproject.toml",
        "/overlay/%2e%2e/%2e%2e/pyproject.toml",
    ):
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "route_not_found")
