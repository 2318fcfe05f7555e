"""How many files this process may have open, and so how many runs it can watch at once.

Each run of ours takes a descriptor here, its supervisor's socket. The soft limit is raised to the hard
one; what we start gets the old one back, because programs that use `select` rely on it.
"""

from __future__ import annotations

import resource

RESERVED = 48  # for the store, logs, messages and launchers
_MOST = 1 << 20
_raised: dict[int, int] = {}  # limits that we have set, and what they were before


def raise_limit() -> tuple[int, int]:
    """Make the soft limit as large as is allowed; the limit before, and now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft in _raised:
        return _raised[soft], soft
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and wanted > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return soft, soft
        _raised[wanted] = soft
        return soft, wanted
    return soft, _MOST if soft == resource.RLIM_INFINITY else soft


def set_soft_limit(soft: int) -> None:
    """What programs that are started from here on may have open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
