"""Names, e-mail addresses and telephone numbers as people type them."""

from __future__ import annotations

import pytest

from retrofill.domain.people.contacts import (
    ContactError,
    UserNameError,
    parse_email,
    parse_phone,
    parse_user_name,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ann@example.org", "ann@example.org"),
        (" ann@Example.ORG ", "ann@example.org"),
        ("Ann.O'Neil+jobs@mail.example.co.uk", "Ann.O'Neil+jobs@mail.example.co.uk"),
        ("ops@localhost", "ops@localhost"),
        ("jörg@müller.de", "jörg@müller.de"),
        ("a@127-0-0-1.example", "a@127-0-0-1.example"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    """POL-9."""
    assert parse_email(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@@example.org",
        "ann@example..org",
        "ann@-example.org",
        "ann@example.org, bob@example.org",
        "Ann <ann@example.org>",
        "ann@example.org\nBcc: all@example.org",
        "ann\r\n@example.org",
        "ann @example.org",
        "ann\0@example.org",
        "ann@exam\u202eple.org",
        "x" * 65 + "@example.org",
        "ann@" + "x." * 130 + "org",
        ".ann@example.org",
        "an..n@example.org",
    ],
)
def test_no_addresses(text: str) -> None:
    """POL-9: above all nothing that adds a header or a second recipient."""
    with pytest.raises(ContactError, match="no e-mail address"):
        parse_email(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+15551234567", "+15551234567"),
        ("+1 (555) 123-4567", "+15551234567"),
        ("+49 30.901820", "+4930901820"),
        ("+8613800138000", "+8613800138000"),
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_numbers(text: str, number: str) -> None:
    """POL-9: E.164, whatever they are grouped with."""
    assert parse_phone(text) == number


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("5551234567", "does not begin with +"),
        ("0015551234567", "does not begin with +"),
        ("", "does not begin with +"),
        ("+123456", "no telephone number"),
        ("+1234567890123456", "no telephone number"),
        ("+0123456789", "no telephone number"),
        ("+1555CALLNOW", "no telephone number"),
        ("+1\n5551234567", "no telephone number"),
        ("+１５５５１２３４５６７", "no telephone number"),
    ],
)
def test_no_numbers(text: str, part: str) -> None:
    """POL-9: seven to fifteen ASCII digits after a country code."""
    with pytest.raises(ContactError, match=part.replace("+", r"\+")):
        parse_phone(text)


@pytest.mark.parametrize("text", ["ann", "_ann", "Ann-2_b", "a" * 64])
def test_user_names(text: str) -> None:
    """CAT-7: as under `members`."""
    assert parse_user_name(text) == text


@pytest.mark.parametrize("text", ["", "2ann", "an n", "ann\n", "a" * 65, "änn", "a/b", "-ann"])
def test_no_user_names(text: str) -> None:
    """CAT-7."""
    with pytest.raises(UserNameError):
        parse_user_name(text)
