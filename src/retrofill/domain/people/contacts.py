"""What is written down about people: names, e-mail addresses, telephone numbers."""

from __future__ import annotations

import re

from retrofill.domain.errors import InvalidValueError, shown

MOST_CHARACTERS = 64
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}")
_LABEL = re.compile(r"[^\W_]([\w-]{0,61}[^\W_])?")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SPACING = re.compile(r"[ ().-]")


class UserNameError(InvalidValueError):
    """Begin with a letter or _, go on with letters, digits, _ and -; at most 64 characters."""

    code = "bad_user_name"


class ContactError(InvalidValueError):
    """Write an address as name@example.org, a number with its country code as +15551234567."""

    code = "bad_contact"


def parse_user_name(text: str) -> str:
    """A user's name: the form that names under `members` have (CAT-7).

    Raises:
        UserNameError: another form.
    """
    if not _NAME.fullmatch(text) or len(text) > MOST_CHARACTERS:
        raise UserNameError(f'"{shown(text)}" is no name of a user')
    return text


def parse_email(text: str) -> str:
    """An e-mail address, its domain in lower case; an address must stay one header's value.

    Raises:
        ContactError: it has no form in which mail could be sent to it.
    """
    local, _, domain = text.strip().rpartition("@")
    labels = domain.split(".")
    is_local = _LOCAL.fullmatch(local) and ".." not in local and local.strip(".") == local
    is_domain = len(domain) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    if not is_local or not is_domain or not text.isprintable():
        raise ContactError(f'"{shown(text)}" is no e-mail address')
    return f"{local}@{domain.lower()}"


def parse_phone(text: str) -> str:
    """A telephone number in the form of E.164: + and 7 to 15 digits; spaces and the like are dropped.

    Raises:
        ContactError: another form, or no country code.
    """
    number = _SPACING.sub("", text.strip())
    if not _NUMBER.fullmatch(number):
        country = "" if number.startswith("+") else "; it does not begin with + and the country code"
        raise ContactError(f'"{shown(text)}" is no telephone number{country}')
    return number
