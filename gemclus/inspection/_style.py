"""Helpers of the Displays: matplotlib on demand, colours, checked labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gemclus._common.typing import ArrayLike, Integers, Names
from gemclus._common.validation import check_int

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pyplot() -> Any:
    """`matplotlib.pyplot`, or an error that names the extra."""
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError(
            "Displays need matplotlib, which is not installed: "
            'pip install "gemclus[plots]"'
        ) from error
    return matplotlib.pyplot


def axes_to_draw_on(ax: Axes | None, **size: Any) -> Any:
    """The axes given, or those of a new figure."""
    if ax is None:
        _, ax = pyplot().subplots(layout="constrained", **size)
    elif not hasattr(ax, "transData"):
        raise TypeError(f"ax must be matplotlib axes or None, got {ax!r}")
    return ax


def cluster_colours(n_clusters: int) -> Any:
    """One colour per cluster, told apart by their lightness alone: also in grey."""
    plt = pyplot()
    return plt.get_cmap("viridis")(np.linspace(0.05, 0.92, n_clusters))


def check_labels(labels: ArrayLike, n_samples: int | None = None) -> Integers:
    """`labels` as a one-dimensional array of integers from 0 on."""
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise ValueError(
            "labels must be integers of shape (n_samples,), got shape "
            f"{array.shape} and dtype {array.dtype}"
        )
    if array.min() < 0:
        raise ValueError(f"labels must be at least 0, got {array.min()}")
    if n_samples is not None and len(array) != n_samples:
        raise ValueError(
            f"labels must have an entry for each of the {n_samples} samples, got "
            f"{len(array)}"
        )
    return array


def cluster_names(names: Names, n_clusters: int) -> list[str]:
    """The names given, one for each cluster, or their numbers."""
    if names is None:
        return [f"cluster {k}" for k in range(n_clusters)]
    if isinstance(names, (str, dict)) or len(names) != check_int("n", n_clusters):
        raise ValueError(
            f"cluster_names must be a sequence of {n_clusters} names, got {names!r}"
        )
    return [plain(name) for name in names]


def plain(name: object) -> str:
    """A name as matplotlib shows it: a dollar sign begins no formula."""
    return str(name).replace("$", r"\$")
