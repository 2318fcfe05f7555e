"""The value of a secret by its name: a function that gives None where there is no such secret (SEC-3)."""

from __future__ import annotations

from collections.abc import Callable

from retrofill.domain.errors import Kind, RetrofillError

FindSecret = Callable[[str], str | None]  #: raises SecretUnavailableError


class SecretUnavailableError(RetrofillError):
    """Mend what the setting `secrets` names; whatever needs the secret is tried again by itself."""

    # Whether there is such a secret is not known. The message holds no value.

    code = "secret_unavailable"
    kind = Kind.UNAVAILABLE
