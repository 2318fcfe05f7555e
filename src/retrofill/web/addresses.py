"""Addresses that come from elsewhere, and lead to our own pages or nowhere."""

from __future__ import annotations


def own_path(path: str | None) -> str:
    """A path of ours; anything that leads elsewhere becomes the first page."""
    if path is None or not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return "/"
    return path
