import json
import re
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", ["/", "/console", "/overlay", "/docs"])
async def test_every_page_and_all_it_names_is_served_from_here(http: httpx.AsyncClient, path: str) -> None:
    page = await http.get(path)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    named = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    assert named
    for address in named:
        assert address.startswith("/"), address
        assert (await http.get(address)).status_code == 200, address


@pytest.mark.parametrize("path", ["/", "/console", "/overlay", "/docs"])
async def test_no_page_has_script_or_style_of_its_own_in_its_text(http: httpx.AsyncClient, path: str) -> None:
    page = (await http.get(path)).text
    assert not re.search(r"<script(?![^>]*src=)", page)
    assert not re.search(r"<style| style=| on\w+=", page)


async def test_files_are_asked_about_again_before_a_kept_copy_is_used(http: httpx.AsyncClient) -> None:
    answer = await http.get("/overlay/look/tokens.css")
    assert answer.headers["Cache-Control"] == "no-cache"
    again = await http.get("/overlay/look/tokens.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


async def test_the_schema_tells_every_route_its_errors_and_an_example(http: httpx.AsyncClient) -> None:
    schema = (await http.get("/openapi.json")).json()
    assert set(schema["paths"]) >= {"/generate", "/status/{job_id}", "/queue", "/stage", "/clips", "/events", "/health"}
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            where = f"{method} {path}"
            assert route["summary"], where
            assert route["description"], where
            assert "503" in route["responses"], where
            assert "HTTPValidationError" not in json.dumps(route), where
    assert schema["components"]["schemas"]["GenerateRequest"]["examples"]
