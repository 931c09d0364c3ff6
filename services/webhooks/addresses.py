"""Which addresses a message may be sent to: none that leads inside."""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

HTTPS_PORT: Final = 443
MAX_URL_LENGTH: Final = 2_048

_AS_IT_IS: Final = "/?%:@!$&'()*+,;=~[]"
"""What a path or a query may hold; letters beyond ASCII are encoded."""
_UNICAST: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_V6: Final = (IPv6Network("2001::/32"), IPv6Network("2002::/16"), IPv6Network("3fff::/20"))
"""Teredo and 6to4 hold an IPv4 address, which may be a private one; the last is for documentation."""
_RELAYS_V4: Final = IPv4Network("192.88.99.0/24")
"""What is sent there leaves by 6to4, to an address that was not checked."""

Resolve = Callable[[str, int], Sequence[str]]


class AddressError(Exception):
    """An address that no message is sent to; the text says what is wrong with it."""


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public internet, whatever form it is written in."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        return ip in _UNICAST and ip.is_global and not any(ip in it for it in _NOT_PUBLIC_V6)
    return _is_public_v4(ip)


def _is_public_v4(ip: IPv4Address) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip not in _RELAYS_V4


def checked_url(url: str, *, allow_local: bool = False) -> str:
    """Return the URL as it is stored, or say what is wrong with it; names are resolved at each attempt."""
    if len(url) > MAX_URL_LENGTH or not url.isprintable() or any(it in url for it in " \\"):
        raise AddressError(f"must be a URL of at most {MAX_URL_LENGTH} characters, without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as error:  # UnicodeError is one
        raise AddressError("must be a URL such as https://shop.example/webhooks") from error
    schemes = ("http", "https") if allow_local else ("https",)
    if parts.scheme not in schemes or not host:
        raise AddressError(f"must be a URL that begins with {' or '.join(f'{it}://' for it in schemes)}")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressError("must hold no user, password or fragment")
    if not allow_local and port not in (None, HTTPS_PORT):
        raise AddressError(f"must use port {HTTPS_PORT}")
    if not allow_local and _is_literal(host) and not is_public(host):
        raise AddressError("must lead to a public address")
    path, query = quote(parts.path, safe=_AS_IT_IS), quote(parts.query, safe=_AS_IT_IS)
    return parts._replace(netloc=_netloc(host, port), path=path, query=query).geturl()


def target_of(url: str) -> tuple[SplitResult, str, int]:
    """Return the parts of a checked URL, its host and its port."""
    parts = urlsplit(url)
    return parts, parts.hostname or "", parts.port or (HTTPS_PORT if parts.scheme == "https" else 80)


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host at this moment."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(_address(it[4]) for it in found))


def pinned(host: str, port: int, *, allow_local: bool, resolve: Resolve = resolve) -> str:
    """Return the one address to connect to, so that no second look-up can lead elsewhere.

    A host with one private address among public ones is refused altogether.
    """
    addresses = resolve(host, port)
    if not addresses or not (allow_local or all(map(is_public, addresses))):
        raise AddressError("the name leads to no public address")
    return addresses[0]


def _address(sockaddr: tuple[Any, ...]) -> str:
    return str(sockaddr[0])


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        # The C library also takes 127.1, 0x7f000001 and 2130706433 for addresses: they are names here,
        # and what they lead to is checked at each attempt.
        return False
    return True


def _netloc(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"
