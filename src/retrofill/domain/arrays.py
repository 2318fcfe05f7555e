"""Names of array types, for annotations only: importing numpy.typing costs 15 ms of every command."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

AnyArray = NDArray[Any]
BoolArray = NDArray[np.bool_]
CodeArray = NDArray[np.uint8]
MinuteArray = NDArray[np.int16]
IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

__all__ = [
    "AnyArray",
    "ArrayLike",
    "BoolArray",
    "CodeArray",
    "FloatArray",
    "IntArray",
    "LongArray",
    "MinuteArray",
]
