"""Numeric libraries in the calling thread alone.

A fit on a few thousand rows takes a tenth of a second and a product of small matrices next to nothing; where processes share
the cores, their threads spend many times that waiting for each other (measured: a fit 25 s instead of 0.25, a search
for slices 590 ms of CPU instead of 25).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@contextmanager
def one_thread(*, learners: bool = False) -> Iterator[None]:
    """Let numeric libraries work in the calling thread only; scikit-learn's trees just where `learners` are asked for."""
    with _pools(learners).limit(limits=1):
        yield


@lru_cache(maxsize=2)
def _pools(learners: bool) -> Any:  # noqa: FBT001
    """Return the thread pools of the libraries that are loaded; looked for once, because that takes longer than most products."""
    if learners:
        import sklearn.ensemble  # noqa: F401, PLC0415  takes a second to import; what is loaded later would not be known
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415

    return ThreadpoolController()
