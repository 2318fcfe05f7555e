"""Refusals in the API's own shape: `Code`, `Message`, `RequestId`, and a status of HTTP.

What the operation center refuses keeps its own code behind a word of the API: `InvalidParameter.NotReachable`.
"""

from __future__ import annotations

from typing import Any

from retrofill.domain.errors import Kind, RetrofillError

STATUSES: dict[Kind, tuple[int, str]] = {
    Kind.USAGE: (400, "InvalidParameter"),
    Kind.LIMIT: (400, "LimitExceeded"),
    Kind.NOT_SIGNED_IN: (403, "Forbidden"),
    Kind.NOT_PERMITTED: (403, "Forbidden"),
    Kind.UNKNOWN: (404, "NotFound"),
    Kind.WRONG_STATE: (409, "IncorrectStatus"),
    Kind.UNAVAILABLE: (503, "ServiceUnavailable"),
    Kind.UNREACHABLE: (503, "ServiceUnavailable"),
    Kind.TIMED_OUT: (504, "Timeout"),
    Kind.FAILED: (500, "InternalError"),
    Kind.BROKEN: (500, "InternalError"),
}
_PLAIN = {"usage", "invalid_value", "limit_exceeded", "not_permitted", "unknown", "wrong_state", "error"}


class ApiError(Exception):
    """A refusal as a client of the API reads it.

    Attributes:
        code: begins with a word that the API has, where it has one.
        description: what to do about it.
    """

    def __init__(self, status: int, code: str, message: str, description: str = "") -> None:
        self.status, self.code, self.message, self.description = status, code, message, description
        super().__init__(message)

    def document(self, request_id: str) -> dict[str, Any]:
        """The body of the answer."""
        found = {"RequestId": request_id, "Code": self.code, "Message": self.message}
        return found | ({"Description": self.description} if self.description else {})


def api_error(error: RetrofillError, subject: str = "") -> ApiError:
    """A refusal of the operation center in the API's shape.

    Args:
        subject: ends the code: of which of several things it is, such as an id.
    """
    status, word = STATUSES[error.kind]
    own = [] if error.code in _PLAIN else ["".join(part.capitalize() for part in error.code.split("_"))]
    code = ".".join([word, *own, *([subject] if subject else [])])
    return ApiError(status, code, error.message, str(error.hint))


def missing(field: str) -> ApiError:
    """A field that must be given, and is not."""
    return ApiError(400, f"MissingParameter.{field}", f"{field} is required")


def invalid(field: str, message: str) -> ApiError:
    """A field with a value that cannot be."""
    return ApiError(400, f"InvalidParameter.{field}", message)


def unsupported(what: str, message: str) -> ApiError:
    """What the API knows, and Retrofill does not have."""
    return ApiError(400, f"Unsupported.{what}", message)
