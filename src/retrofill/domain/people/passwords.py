"""What may be a password, and in which form it is hashed.

Length is what counts; no kinds of characters are asked for. The same characters typed on another keyboard are the same
password: it is hashed in Unicode's NFKC form.
"""

from __future__ import annotations

import unicodedata

from retrofill.domain.errors import UsageError

FEWEST = 10
MOST = 256  # characters; hashing a megabyte would be a way to keep a server busy


class PasswordError(UsageError):
    """Choose one of 10 to 256 characters that is not your name; a few words do well."""

    code = "bad_password"


class PasswordNeededError(UsageError):
    """Send it as `current`; a command asks for it, or reads it as the next line of standard input."""

    code = "current_password_needed"

    def __init__(self) -> None:
        super().__init__("whoever changes or removes a password of their own says the one until now")


def normal_form(password: str) -> str:
    """The form that is hashed and compared; whatever was given."""
    return unicodedata.normalize("NFKC", password)


def parse_password(password: str, user: str) -> str:
    """The form of a new password that is hashed.

    Raises:
        PasswordError: it is too short, too long, the user's name, or a single character again and again. The message
            does not hold it.
    """
    form = normal_form(password)
    if not FEWEST <= len(form) <= MOST:
        raise PasswordError(f"a password has {FEWEST} to {MOST} characters, this one has {len(form)}")
    if not form.isprintable():
        raise PasswordError("the password holds a character that cannot be typed")
    if len(set(form)) == 1 or form.casefold() in {user.casefold(), (2 * user).casefold()}:
        raise PasswordError("the password is too easy to guess")
    return form
