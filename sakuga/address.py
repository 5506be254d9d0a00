"""Addresses: which ones a webhook may be sent to, so that nobody can look through us at what is inside."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from sakuga.errors import WebhookRefused

LONGEST_URL = 2048
MAPPED = IPv6Network("::ffff:0:0/96")
NAT64 = IPv6Network("64:ff9b::/96")  # how a machine without IPv4 reaches it; the last four bytes are the IPv4 address
UNICAST = IPv6Network("2000::/3")  # all of IPv6 that is routed between networks
LOCAL = IPv6Network("fc00::/7")
NEVER = (
    IPv6Network("2002::/16"),  # 6to4 and Teredo carry any IPv4 address inside
    IPv6Network("2001::/32"),
    IPv6Network("3fff::/20"),  # for documents, since RFC 9637; Python 3.11 takes it for routed
)
SHARED = IPv4Network("100.64.0.0/10")  # behind a provider's NAT
PRIVATE = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("127.0.0.0/8"),
    SHARED,
)
# Where clouds tell a machine its secrets, apart from the link-local ones: Alibaba's, Oracle's, and AWS by IPv6.
METADATA = frozenset(map(ip_address, ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")))


def allowed(address: str, *, private: bool) -> bool:
    """Whether a webhook may be sent to an address; with `private` also to this machine and to private networks.

    Link-local, multicast, reserved and metadata addresses are never allowed. What is no address is not either.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and (found in MAPPED or found in NAT64):
        found = IPv4Address(found.packed[-4:])
    if found in METADATA:
        return False
    if isinstance(found, IPv4Address):
        inside = any(found in network for network in PRIVATE)
        return private if inside else found.is_global and not found.is_multicast
    if found.is_loopback or found in LOCAL:
        return private
    return found in UNICAST and found.is_global and not any(found in network for network in NEVER)


def check(url: str, *, private: bool) -> str:
    """Return a webhook's URL if it can be one: https, a host, no user and no fragment. Raises WebhookRefused.

    With `private` plain http will do. Where a name leads is looked at each time that something is sent there.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # a port that is none raises
    except ValueError as error:
        raise WebhookRefused(problem="that is not a URL") from error
    problem = ""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        problem = f"write it in printable ASCII, with up to {LONGEST_URL} characters"
    elif parts.scheme != "https" and not (private and parts.scheme == "http"):
        problem = "it has to begin with https://"
    elif not host:
        problem = "it names no host"
    elif "@" in parts.netloc:
        problem = "leave user and password out; the signature says who we are"
    elif "#" in url:
        problem = "leave out what follows #"
    elif _inside(host, private=private):
        problem = "that address is private or reserved"
    if problem:
        raise WebhookRefused(problem=problem)
    return url


def _inside(host: str, *, private: bool) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return not private and f".{host}".endswith(".localhost")
    return not allowed(host, private=private)
