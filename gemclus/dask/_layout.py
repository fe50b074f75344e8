"""A collection as rows in blocks, with their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.random import sample_without_replacement

from gemclus._common.collections import is_dask
from gemclus._common.weights import check_sample_weight
from gemclus._core.array_passes import FLOATS, first_not_finite


@dataclass
class Layout:
    """Rows of a collection.

    Attributes
    ----------
    blocks : list of Delayed
        Each gives the rows of a block.
    lengths : list of int
        Their numbers of rows.
    names : list or None
        Names of the columns of a frame.
    n_features : int
    dtype : dtype
        Of the rows in a training: float64 or float32.
    weights : list or None
        Weights of each block, an array or a Delayed; None for equal ones.
    exponent : int
        Weights are divided by this power of 2.
    """

    blocks: list[Any]
    lengths: list[int]
    names: list[Any] | None
    n_features: int
    dtype: Any
    weights: list[Any] | None = None
    exponent: int = 0

    @property
    def n_rows(self) -> int:
        return sum(self.lengths)

    def rows(self, position: int, raw: Any) -> Any:
        """The rows of a block, as an array that passes take."""
        array = np.asarray(raw)
        expected = (self.lengths[position], self.n_features)
        if array.shape != expected:
            raise ValueError(
                f"block {position} of X must have shape {expected}, as X says, got "
                f"{array.shape}: call X.compute_chunk_sizes() or X.rechunk(...)"
            )
        return np.ascontiguousarray(array, dtype=self.dtype)

    def checked_rows(self, position: int, raw: Any) -> Any:
        """The same, refused with NaN or infinity."""
        return self.check_finite(position, self.rows(position, raw))

    def check_finite(self, position: int, array: Any) -> Any:
        """Refuse rows of a block that hold NaN or infinity."""
        if first_not_finite((array,)) >= 0:
            first = sum(self.lengths[:position])
            raise ValueError(
                f"X must be finite, but block {position} (rows {first} to "
                f"{first + self.lengths[position] - 1}) contains NaN or infinity"
            )
        return array

    def block_weights(self, raw: Any) -> Any:
        """Weights of a block as an array."""
        if raw is None:
            return None
        return np.ldexp(np.asarray(raw, dtype=np.float64), -self.exponent)


def lay_out(X: Any, sample_weight: Any = None) -> Layout:
    """The blocks of a dask array or frame.

    Raises
    ------
    ValueError
        If their lengths are unknown, one is empty, has not all the columns, or the
        weights are cut elsewhere; with what to call.
    """
    if hasattr(X, "chunks"):
        layout = _array_layout(X)
    else:
        layout = _frame_layout(X, weighted=sample_weight is not None)
    if 0 in layout.lengths:
        raise ValueError(
            f"block {layout.lengths.index(0)} of X is empty: call X.rechunk(...) of an "
            "array, X.repartition(...) of a frame"
        )
    if sample_weight is not None:
        _lay_weights(layout, sample_weight)
    return layout


def _array_layout(X: Any) -> Layout:
    if X.ndim != 2:
        raise ValueError(f"X must have shape (N, D), got {X.ndim} dimensions")
    if np.isnan(X.shape[0]) or np.isnan(X.shape[1]):
        raise ValueError(
            "X must have chunks of known sizes: call X.compute_chunk_sizes() first"
        )
    if X.numblocks[1] != 1:
        raise ValueError(
            f"blocks of X must have all columns, got chunks {X.chunks[1]} of "
            "them: call X.rechunk({1: -1})"
        )
    if X.dtype.kind not in "fiub":
        raise ValueError(f"X must hold numbers, got dtype {X.dtype}")
    dtype = X.dtype if X.dtype in FLOATS else np.dtype(np.float64)
    lengths = [int(length) for length in X.chunks[0]]
    blocks = list(X.to_delayed().ravel())
    return Layout(blocks, lengths, None, X.shape[1], dtype)


def _frame_layout(X: Any, weighted: bool) -> Layout:
    if getattr(X, "columns", None) is None:
        raise ValueError("X must be a dask array of two dimensions or a dask frame")
    text = [name for name, kind in X.dtypes.items() if kind.kind not in "fiub"]
    if text:
        raise ValueError(
            f"X must hold numbers, but columns {text[:5]} do not: encode categories, "
            "for instance with sklearn.preprocessing.OneHotEncoder"
        )
    single = all(kind == np.float32 for kind in X.dtypes)
    dtype = np.dtype(np.float32 if single else np.float64)
    # Optimised, columns of one store may come in other partitions than others do.
    parts = list(X.to_delayed(optimize_graph=not weighted))
    names = list(X.columns)
    return Layout(parts, _lengths(parts), names, len(names), dtype)


def _lay_weights(layout: Layout, sample_weight: Any) -> None:
    if not is_dask(sample_weight):
        weights = check_sample_weight(sample_weight, layout.n_rows)
        ends = np.cumsum(layout.lengths)[:-1]
        layout.weights = np.split(weights, ends)
        return
    if hasattr(sample_weight, "chunks"):
        parts = list(np.ravel(sample_weight.to_delayed()))
        lengths = list(sample_weight.chunks[0])
        remedy = f"sample_weight.rechunk(({tuple(layout.lengths)},))"
    else:
        parts = list(sample_weight.to_delayed(optimize_graph=False))
        lengths = _lengths(parts)
        remedy = "X.repartition and sample_weight.repartition alike"
    if sample_weight.ndim != 1 or lengths != layout.lengths:
        raise ValueError(
            "sample_weight must be cut as X is, into blocks of "
            f"{layout.lengths[:5]}... rows, got {lengths[:5]}...: call {remedy}"
        )
    import dask

    bounds = compute([dask.delayed(_bounds, pure=True)(part) for part in parts])
    low, high = float(np.min(bounds)), float(np.max(bounds))
    if not np.isfinite(low + high):
        raise ValueError("sample_weight must be finite, it contains NaN or infinity")
    if low < 0.0:
        raise ValueError(f"sample_weight must not be negative, got {low}")
    if high == 0.0:
        raise ValueError("sample_weight must not be zero for all samples")
    layout.weights = parts
    layout.exponent = int(np.frexp(high)[1])


def draw(layout: Layout, n_rows: int, random_state: Any) -> tuple[Any, Any]:
    """Some rows of all blocks, drawn at random, and their weights."""
    import dask

    drawn = np.arange(layout.n_rows)
    if layout.n_rows > n_rows:
        drawn = np.sort(
            sample_without_replacement(layout.n_rows, n_rows, random_state=random_state)
        )
    first, parts, weights = 0, [], []
    positions: list[int] = []
    take = dask.delayed(_take, pure=True)
    for position, length in enumerate(layout.lengths):
        inside = drawn[(drawn >= first) & (drawn < first + length)] - first
        first += length
        if len(inside):
            positions.append(position)
            parts.append(take(layout.blocks[position], inside))
            if layout.weights is not None:
                weights.append(take(layout.weights[position], inside))
    # One after the other where there is no cluster: no more than a block in memory.
    parts, weights = compute(parts), compute(weights)
    for position, part in zip(positions, parts, strict=True):
        layout.check_finite(position, np.asarray(part, dtype=layout.dtype))
    X = np.ascontiguousarray(np.concatenate(parts), dtype=layout.dtype)
    if layout.weights is None:
        return X, None
    return X, layout.block_weights(np.concatenate(weights))


def compute(tasks: list[Any]) -> list[Any]:
    """Results of delayed tasks: on the cluster, or one after the other here."""
    import dask

    from gemclus.dask._cluster import active_client

    if active_client() is not None:
        return list(dask.compute(*tasks))
    return [task.compute(scheduler="synchronous") for task in tasks]


def _lengths(parts: list[Any]) -> list[int]:
    """Numbers of rows of the partitions of a frame."""
    import dask

    count = dask.delayed(len, pure=True)
    return compute([count(part) for part in parts])


def _bounds(weights: Any) -> tuple[float, float]:
    return float(np.min(weights)), float(np.max(weights))


def _take(rows: Any, positions: Any) -> Any:
    return np.asarray(rows)[positions]
