"""Values in the form of a key: what their errors are."""

from __future__ import annotations

DEPLOYMENT_FILE = "retrofill.yaml"


class FormError(ValueError):
    """A value that is not in the form of its key: the end of a sentence that begins with the key.

    `path` leads from the value to the part that is wrong.
    """

    def __init__(self, message: str, hint: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path

    def within(self, step: str | int) -> FormError:
        """The same error seen from the mapping or list that holds the value."""
        return FormError(self.message, self.hint, (step, *self.path))
