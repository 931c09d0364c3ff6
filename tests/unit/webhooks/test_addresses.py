"""No message leads inside, however an address is written."""

from collections.abc import Sequence

import pytest

from services.webhooks.addresses import AddressError, checked_url, is_public, pinned, target_of

INSIDE = [
    "0.0.0.0",  # noqa: S104 - nothing binds to it
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "3fff::1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = ["1.1.1.1", "93.184.216.34", "172.15.0.1", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https://",
        "https:///path",
        "shop.example/hooks",
        "https://user@shop.example/",
        "https://user:secret@shop.example/",
        "https://shop.example/#part",
        "https://shop.example:8443/",
        "https://shop.example:80/",
        "https://shop.example:99999/",
        "https://shop.example/a b",
        "https://shop.example/\r\nx-admin: 1",
        "https://shop.example\\@inside.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        f"https://shop.example/{'a' * 2_048}",
    ],
)
def test_a_url_that_may_lead_inside_is_refused(url: str) -> None:
    with pytest.raises(AddressError, match=r"^must "):
        checked_url(url)


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://shop.example/hooks?a=1", "https://shop.example/hooks?a=1"),
        ("https://shop.example:443", "https://shop.example:443"),
        ("https://SHOP.example/", "https://shop.example/"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example/"),
        ("https://[2606:4700::1]/", "https://[2606:4700::1]/"),
        ("https://shop.example/h\u00fc?q=\u00fc%20", "https://shop.example/h%C3%BC?q=%C3%BC%20"),
    ],
)
def test_a_public_url_is_stored_as_it_will_be_called(url: str, stored: str) -> None:
    assert checked_url(url) == stored


def test_a_stack_on_one_machine_may_call_itself() -> None:
    assert checked_url("http://127.0.0.1:8000/", allow_local=True) == "http://127.0.0.1:8000/"


def test_the_target_of_a_url_has_its_port() -> None:
    _, host, port = target_of("https://shop.example/hooks")

    assert (host, port) == ("shop.example", 443)


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        ["10.0.0.1"],
        ["93.184.216.34", "10.0.0.1"],
        ["::1", "93.184.216.34"],
    ],
)
def test_a_name_that_leads_inside_is_refused(addresses: Sequence[str]) -> None:
    with pytest.raises(AddressError):
        pinned("shop.example", 443, allow_local=False, resolve=lambda _host, _port: addresses)


def test_the_address_that_was_checked_is_the_one_to_call() -> None:
    found = pinned(
        "shop.example", 443, allow_local=False, resolve=lambda _host, _port: ["93.184.216.34", "1.1.1.1"]
    )

    assert found == "93.184.216.34"


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "localhost"])
def test_other_spellings_of_an_address_inside_are_refused_when_resolved(host: str) -> None:
    with pytest.raises((AddressError, OSError)):
        pinned(host, 443, allow_local=False)
