"""Posting outside: what is refused, however a name is dressed up."""

import pytest

from tests.fakes.receiver import FakeReceiver
from worker.outside import Outside


class FakeDns:
    """Names and what they lead to; each question is counted, and later ones may be answered otherwise."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def posted(url: str, *, private: bool = False, dns: FakeDns | None = None, total_s: float = 10) -> str:
    outside = Outside(private=private, total_s=total_s, **({"resolve": dns} if dns else {}))
    try:
        return (await outside.post(url, {"webhook-id": "msg_1"}, b"{}"))[0]
    finally:
        await outside.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_this_machine_is_not_reached_however_it_is_written(host: str) -> None:
    async with FakeReceiver() as receiver:
        assert await posted(f"http://{host}:{receiver.port}/") == "forbidden_address"
        assert receiver.paths == []


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "100.64.0.1", "fe80::1", "::ffff:192.168.0.1"])
async def test_a_name_that_leads_inside_is_not_followed(address: str) -> None:
    assert await posted("https://hook.example/", dns=FakeDns([address])) == "forbidden_address"


async def test_one_address_inside_among_others_is_enough_to_refuse() -> None:
    assert await posted("https://hook.example/", dns=FakeDns(["1.1.1.1", "127.0.0.1"])) == "forbidden_address"


async def test_a_name_is_asked_for_once_and_the_address_that_was_looked_at_is_connected_to() -> None:
    async with FakeReceiver() as receiver:
        dns = FakeDns(["127.0.0.1"], ["192.0.2.1"])  # the second answer would lead nowhere
        assert await posted(f"http://hook.example:{receiver.port}/", private=True, dns=dns) == "204"
        assert dns.asked == 1
        assert receiver.heard[0].headers["host"] == f"hook.example:{receiver.port}"


async def test_a_second_address_is_tried_when_the_first_does_not_answer() -> None:
    async with FakeReceiver() as receiver:
        dns = FakeDns(["127.0.0.2", "127.0.0.1"])
        assert await posted(f"http://hook.example:{receiver.port}/", private=True, dns=dns) == "204"


async def test_addresses_that_hold_secrets_are_refused_even_where_private_ones_are_allowed() -> None:
    assert await posted("http://169.254.169.254/latest/meta-data", private=True) == "forbidden_address"


async def test_a_name_that_leads_nowhere_and_a_port_where_nobody_is_are_told_apart() -> None:
    assert await posted("http://hook.example/", private=True, dns=FakeDns([])) == "unknown_host"
    async with FakeReceiver() as receiver:
        url = receiver.url
    assert await posted(url, private=True) == "connection_failed"


async def test_a_receiver_that_speaks_no_tls_is_not_spoken_to_without() -> None:
    async with FakeReceiver() as receiver:
        told = await posted(receiver.url.replace("http:", "https:"), private=True, total_s=0.3)
        assert told in {"timeout", "connection_failed"}
        assert receiver.heard == []


@pytest.mark.parametrize("url", ["https://0177.0.0.1/", "https://xn--.example/", "https://a..b/"])
async def test_what_no_client_understands_is_an_outcome_and_no_crash(url: str) -> None:
    assert await posted(url) in {"invalid_url", "unknown_host"}


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async with FakeReceiver(status=200, body=b"x" * 5_000_000) as receiver:
        assert await posted(receiver.url, private=True) == "200"
