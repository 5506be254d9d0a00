import pytest

from sakuga.address import allowed, check
from sakuga.errors import WebhookRefused

OUTSIDE = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
INSIDE = [
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("100.64.0.1", "100.127.255.254", "::1", "fc00::1", "fd12:3456::1"),
    *("::ffff:127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
]
NEVER = [
    *("169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1", "fe80::1%eth0"),
    *("100.100.100.200", "192.0.0.192", "fd00:ec2::254"),
    *("0.0.0.0", "0.1.2.3", "::", "::7f00:1", "224.0.0.1", "239.255.255.250", "ff02::1", "255.255.255.255"),
    *("240.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    *("2002:7f00:1::", "2001:0:7f00:1::", "fec0::1", "5f00::1", "100::1", "64:ff9b:1::1"),
    *("localhost", "", "127.1", "0x7f000001"),
]


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_may_be_sent_to(address: str) -> None:
    assert allowed(address, private=False)
    assert allowed(address, private=True)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_may_only_be_sent_to_where_the_streamer_wants_it(address: str) -> None:
    assert not allowed(address, private=False)
    assert allowed(address, private=True)


@pytest.mark.parametrize("address", NEVER)
def test_what_holds_secrets_or_is_nobodys_is_never_sent_to(address: str) -> None:
    assert not allowed(address, private=False)
    assert not allowed(address, private=True)


@pytest.mark.parametrize(
    "url",
    ["https://example.com/hook", "https://example.com:8443/a?b=c", "https://[2606:4700::1]/x", "https://1.1.1.1/"],
)
def test_a_url_that_leads_outside_is_taken(url: str) -> None:
    assert check(url, private=False) == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("example.com", "https://"),
        ("https:///hook", "no host"),
        ("https://mika:secret@example.com/", "user"),
        ("https://example.com/#part", "#"),
        ("https://example.com:99999/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://exam ple.com/", "ASCII"),
        ("https://例え.jp/", "ASCII"),
        ("https://example.com\\@127.0.0.1/", "ASCII"),
        ("https://example.com/" + "a" * 2048, "2048"),
        ("https://127.0.0.1/", "private"),
        ("https://[::ffff:10.0.0.1]/", "private"),
        ("https://169.254.169.254/latest/meta-data", "private"),
        ("https://localhost/", "private"),
        ("https://studio.localhost/", "private"),
    ],
)
def test_a_url_that_leads_elsewhere_is_refused_with_what_is_wrong(url: str, problem: str) -> None:
    with pytest.raises(WebhookRefused, match=problem):
        check(url, private=False)


def test_a_streamer_who_allows_it_may_use_plain_http_on_this_machine() -> None:
    assert check("http://127.0.0.1:9000/hook", private=True)
    with pytest.raises(WebhookRefused):
        check("http://169.254.169.254/", private=True)
