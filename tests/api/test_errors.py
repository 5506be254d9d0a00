import inspect

import httpx

from api.errors import STATUS
from sakuga import errors


def test_every_error_a_caller_can_get_has_a_status() -> None:
    leaves = [
        cls
        for cls in vars(errors).values()
        if inspect.isclass(cls) and issubclass(cls, errors.RequestRefused) and cls is not errors.RequestRefused
    ]
    assert [cls.__name__ for cls in leaves if cls not in STATUS] == []


async def test_a_bug_is_an_answer_with_a_reference_and_without_a_trace(http: httpx.AsyncClient, studio: object) -> None:
    async def broken(_limit: int) -> None:
        secret = "hunter" + "2"
        raise ZeroDivisionError(secret)

    studio.queue.board = broken  # type: ignore[attr-defined]
    answer = await http.get("/queue")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "unexpected")
    assert "hunter2" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
