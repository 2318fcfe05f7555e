"""No large backfills in working hours.

More than `WORKING_HOURS_LIMIT` instances (default 1,000) may not be started from Monday to Friday
between 9:00 and 17:00 by the clock of the machine; half of that gives a warning.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from retrofill.extending import fail, hookimpl, passed, warn

_SATURDAY = 5


@hookimpl
def check_backfill(question: Mapping[str, Any]) -> dict[str, str]:
    """Judge the size of the plan by the time of day."""
    limit = int(os.environ.get("WORKING_HOURS_LIMIT", "1000"))
    return judge(question["plan"]["instance_count"], limit, datetime.now().astimezone())


def judge(instances: int, limit: int, now: datetime) -> dict[str, str]:
    """The answer for so many instances at this time."""
    if now.weekday() >= _SATURDAY or not 9 <= now.hour < 17:
        return passed()
    if instances > limit:
        return fail(
            f"{instances:,} instances are more than {limit:,}; start it after 17:00, or give it a --window"
        )
    if instances > limit // 2:
        return warn(f"{instances:,} instances in working hours; others wait for slots")
    return passed()
