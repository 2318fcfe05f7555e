"""Apprise URLs as text: secrets and recipients put in, secrets kept out of what is told."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from retrofill.services.ports.notifying import NotSentError
from retrofill.services.ports.secrets import FindSecret, SecretUnavailableError

WEBHOOK_SCHEMES = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})
_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")
_RECIPIENT = re.compile(r"[?&]:?to=", re.IGNORECASE)
_PLACEHOLDER = "{to}"
_PLAIN_ARGUMENTS = frozenset(
    {"to", ":to", "from", "name", "cc", "bcc", "reply", "smtp", "mode", "format", "method"}
)
_SHORTEST_SECRET = 3


def with_secrets(template: str, secrets: FindSecret) -> str:
    """The URL with secrets in their places, quoted unless the whole URL is one.

    Raises:
        NotSentError: a secret has no value in this process; another one may know it.
    """

    def value(match: re.Match[str]) -> str:
        try:
            found = secrets(match[1])
        except SecretUnavailableError as error:
            raise NotSentError(error.advice) from None
        if found is None:
            raise NotSentError(f"there is no secret {match[1]}: RETROFILL_SECRET_{match[1]} is not set")
        return found if match[0] == template else quote(found, safe="")

    return _SECRET.sub(value, template)


def with_recipient(url: str, address: str) -> str | None:
    """The URL with the recipient in the place of `{to}`, or as it is where its argument `to` names one.

    None: it names no recipient.
    """
    if _PLACEHOLDER in url:
        return url.replace(_PLACEHOLDER, quote(address, safe=""))
    return url if _RECIPIENT.search(url) else None


def with_argument(url: str, name: str, value: str) -> str:
    """The URL with one more argument."""
    return f"{url}{'&' if '?' in url else '?'}{name}={quote(value, safe='')}"


def scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def host_of(url: str) -> str:
    """The host that a URL leads to, without user and port; IPv6 without its brackets."""
    rest = url.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def without_secrets(text: str, url: str) -> str:
    """The text with users, passwords, paths and arguments of the URL masked, but for what is plainly no secret."""
    address, _, arguments = url.partition("://")[2].partition("?")
    login, _, rest = address.rpartition("@")
    hidden = [*login.split(":"), *rest.split("/")[1:]]
    for name, _, value in (argument.partition("=") for argument in arguments.split("&")):
        if name.lower() not in _PLAIN_ARGUMENTS:
            hidden.append(value)
    words = {word for part in hidden for word in (part, unquote(part)) if len(word) >= _SHORTEST_SECRET}
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "***")
    return text
