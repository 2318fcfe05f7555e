"""Keeping the secrets of a connection's URL out of what is printed."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

MASKED = "***"
_SECRET_KEYS = re.compile(r"pass|pwd|secret|token|key|credential", re.IGNORECASE)
_SHORTEST = 3  # shorter texts would mask ordinary words


class Mask:
    """Replaces the URL's password, its secret-looking options and the URL itself in texts."""

    def __init__(self, url: str) -> None:
        words = {url}
        rest = url.partition("://")[2]
        userinfo = rest.rpartition("@")[0]
        password = userinfo.partition(":")[2]
        words |= {password, unquote(password), unquote_plus(password)}
        for key, value in parse_qsl(urlsplit(url).query):
            if _SECRET_KEYS.search(key):
                words |= {value, *(m[1] for m in re.finditer(rf"{re.escape(key)}=([^&]*)", url))}
        self._words = sorted((word for word in words if len(word) >= _SHORTEST), key=len, reverse=True)
        if "@" not in url and "?" not in url:
            self._words = []  # a plain file: nothing in it is secret

    def __call__(self, text: str) -> str:
        for word in self._words:
            text = text.replace(word, MASKED)
        return text
