"""Addresses that a webhook may reach (VER-3, POL-9)."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retrofill.domain.addresses import (
    InternalAddressError,
    WebAddressError,
    check_host,
    check_web_address,
    forms,
    is_allowed,
    is_public,
    read_address,
    shown_web_address,
)

INTERNAL = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0x7f.1",
    "017700000001",
    "127.0.0.1.",
    "0",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "[::1]",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "ff0e::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo to 127.0.0.1
]


@pytest.mark.parametrize("text", INTERNAL)
def test_internal_addresses_are_refused_however_they_are_written(text: str) -> None:
    address = read_address(text)
    assert address is not None
    assert not is_allowed(address)
    with pytest.raises(InternalAddressError):
        check_host("hook.example", [text])


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "134744072", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"],
)
def test_public_addresses_are_allowed(text: str) -> None:
    address = read_address(text)
    assert address is not None
    assert is_allowed(address)
    check_host("hook.example", [text])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.256",
        "1.16777216",
        "4294967296",
        "08",
        "1..2",
        "é",
        "0x",
    ],
)
def test_what_is_no_address_is_a_name(text: str) -> None:
    assert read_address(text) is None


def test_a_network_that_is_listed_is_allowed_in_every_form() -> None:
    for text in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::"):
        address = read_address(text)
        assert address is not None
        assert is_allowed(address, ["10.1.0.0/16"]), text
        assert not is_allowed(address, ["10.2.0.0/16", "fd00::/8"]), text
    loopback = read_address("::1")
    assert loopback is not None
    assert is_allowed(loopback, ["::1/128"])


def test_one_internal_address_among_public_ones_is_enough() -> None:
    with pytest.raises(InternalAddressError, match=r"^hook\.example leads to an internal address, which"):
        check_host("hook.example", ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(InternalAddressError, match=r"^127\.0\.0\.1 is an internal address"):
        check_host("127.0.0.1", ["127.0.0.1"])


@given(
    st.from_regex(
        r"(0x[0-9a-f]{1,9}|0[0-7]{0,11}|[1-9][0-9]{0,10})(\.(0x[0-9a-f]{1,3}|[0-9]{1,4})){0,3}",
        fullmatch=True,
    )
)
@example("0x7f.0.0.01")
def test_ipv4_is_read_as_the_c_library_reads_it(text: str) -> None:
    try:
        expected = ipaddress.IPv4Address(socket.inet_aton(text))
    except OSError:
        expected = None
    assert read_address(text) == expected


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_as_itself(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    embedded = [
        ipaddress.IPv6Address(0xFFFF_0000_0000 | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
        ipaddress.IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
    ]
    for outer in embedded:
        assert address in forms(outer)
        assert is_public(outer) == is_public(address)


@pytest.mark.parametrize(
    "text",
    [
        "https://x",
        "http://127.0.0.1:80/a?b=c#d",
        "https://[::1]:8443/",
        "https://ops.example.com/$a/%20?q={}",
    ],
)
def test_addresses_that_something_can_be_posted_to(text: str) -> None:
    """POL-9: where they lead is judged when something is sent."""
    check_web_address(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "ftp://x/", "file:///etc/passwd", "//x", "https:///x", "HTTPS://x"),
        *(
            "https://user@x/",
            "https://user:pw@x/",
            "https://x/${secret:PW}",
            "https://x/ y",
            "https://x/\n",
            "https://ü/",
        ),
        *("https://x/" + "y" * 2_000, "https://:80/", "javascript:alert(1)", "https://x\\@y/"),
    ],
)
def test_addresses_that_are_refused(text: str) -> None:
    """POL-9, SEC-3: without being shown, because they may hold a token; no secret is looked up for them."""
    with pytest.raises(WebAddressError) as caught:
        check_web_address(text)
    assert not text or text not in caught.value.message


def test_only_where_an_address_leads_is_shown() -> None:
    """POL-9, SEC-3."""
    assert shown_web_address("https://ops.example.com:8443/t0ken?a=b") == "https://ops.example.com:8443"
