"""The fitted tree as plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from gemclus._common.pickling import stored_as_state
from gemclus._common.typing import Integers
from gemclus.tree._kauri.growth import apply

_Ints = NDArray[np.int32]
_Reals = NDArray[np.float64]

#: How the two sides of a split were filed, by the number in `KauriTree.kinds`.
SPLIT_KINDS = ("leaf", "star", "double star", "switch", "refurbish")

_ARRAYS = {
    "children_left": np.int32,
    "children_right": np.int32,
    "features": np.int32,
    "thresholds": np.float64,
    "gains": np.float64,
    "depths": np.int32,
    "target": np.int32,
    "sizes": np.int32,
    "kinds": np.int32,
    "missing_go_to_left": np.int32,
}


@stored_as_state
class KauriTree:
    """A binary tree whose leaves belong to clusters, as parallel arrays.

    Node 0 is the root; the children of a node have larger numbers than it, and
    nodes are numbered in the order in which they were made.

    Attributes
    ----------
    n_nodes : int
        Number of nodes.
    children_left, children_right : ndarray of int32 of shape (n_nodes,)
        Numbers of the children; -1 in leaves.
    features : ndarray of int32 of shape (n_nodes,)
        Feature that decides; -2 in leaves.
    thresholds : ndarray of float64 of shape (n_nodes,)
        A sample goes left if its value is at most the threshold, which is the
        middle of the gap between the training samples of both sides; -2 in
        leaves.
    gains : ndarray of float64 of shape (n_nodes,)
        Change of the objective that the split made; 0 in leaves.
    depths : ndarray of int32 of shape (n_nodes,)
        Number of splits above the node.
    target : ndarray of int32 of shape (n_nodes,)
        Cluster of the node when it was made, hence for leaves their cluster;
        -1 in an inner node whose cluster has since been dissolved.
    sizes : ndarray of int32 of shape (n_nodes,)
        Number of training samples.
    kinds : ndarray of int32 of shape (n_nodes,)
        How the two sides were filed: 1 star, 2 double star, 3 switch,
        4 refurbish; 0 in leaves.
    missing_go_to_left : ndarray of int32 of shape (n_nodes,)
        1 where a missing value (NaN) goes to the left child: to the side that
        gains more, or to the larger one where none was missing; 0 in leaves.
    """

    children_left: _Ints
    children_right: _Ints
    features: _Ints
    thresholds: _Reals
    gains: _Reals
    depths: _Ints
    target: _Ints
    sizes: _Ints
    kinds: _Ints
    missing_go_to_left: _Ints

    def __init__(
        self,
        children_left: _Ints,
        children_right: _Ints,
        features: _Ints,
        thresholds: _Reals,
        gains: _Reals,
        depths: _Ints,
        target: _Ints,
        sizes: _Ints,
        kinds: _Ints,
        missing_go_to_left: _Ints,
    ) -> None:
        self.children_left = children_left
        self.children_right = children_right
        self.features = features
        self.thresholds = thresholds
        self.gains = gains
        self.depths = depths
        self.target = target
        self.sizes = sizes
        self.kinds = kinds
        self.missing_go_to_left = missing_go_to_left

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Trees from before missing values were known send them to the larger side."""
        self.__dict__.update(state)
        if "missing_go_to_left" not in state:
            self.missing_go_to_left = self._larger_sides()
        self.check()

    def _larger_sides(self) -> _Ints:
        larger = np.zeros(self.n_nodes, dtype=np.int32)
        inner = np.flatnonzero(self.children_left >= 0)
        left, right = self.children_left[inner], self.children_right[inner]
        larger[inner] = self.sizes[left] > self.sizes[right]
        return larger

    def check(self, n_features: int | None = None) -> None:
        """Raise ValueError unless the arrays are those of a tree. Cost O(n_nodes)."""
        n_nodes = len(self.children_left)
        for name, dtype in _ARRAYS.items():
            array = getattr(self, name, None)
            if (
                not isinstance(array, np.ndarray)
                or array.dtype != dtype
                or array.shape != (n_nodes,)
            ):
                raise ValueError(
                    f"the tree is damaged: {name} must be an array of {dtype} of "
                    f"shape ({n_nodes},)"
                )
        inner = np.flatnonzero(self.children_left >= 0)
        children = np.concatenate(
            [self.children_left[inner], self.children_right[inner]]
        )
        parents = np.concatenate([inner, inner])
        # Each node but the root is the child of one that comes before it.
        if (
            n_nodes == 0
            or not np.array_equal(np.sort(children), np.arange(1, n_nodes))
            or (children <= parents).any()
            or (self.children_right[self.children_left < 0] >= 0).any()
        ):
            raise ValueError(
                "the tree is damaged: its children are not those of a tree"
            )
        features = self.features[inner]
        if (features < 0).any():
            raise ValueError("the tree is damaged: a split has no feature")
        if n_features is not None and (features >= n_features).any():
            raise ValueError(
                f"the tree is damaged: it splits feature {features.max()}, but has "
                f"{n_features} features"
            )
        if (self.target[self.children_left < 0] < 0).any():
            raise ValueError("the tree is damaged: a leaf has no cluster")
        if np.isnan(self.thresholds).any():
            raise ValueError("the tree is damaged: a threshold is NaN")

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.children_left)

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return int((self.children_left < 0).sum())

    @property
    def max_depth(self) -> int:
        """Largest number of splits between the root and a leaf."""
        return int(self.depths.max())

    def __repr__(self) -> str:
        return f"<KauriTree: {self.n_leaves} leaves, depth {self.max_depth}>"

    def apply(self, X: Any) -> Integers:
        """Leaf, as a node number, of each row of a C-contiguous float64 array."""
        return apply(
            self.children_left,
            self.children_right,
            self.features,
            self.thresholds,
            self.missing_go_to_left,
            X,
        )

    def parents(self) -> Integers:
        """Parent of each node; -1 for the root. Shape (n_nodes,)."""
        parents = np.full(self.n_nodes, -1, dtype=np.int32)
        inner = np.flatnonzero(self.children_left >= 0)
        parents[self.children_left[inner]] = inner
        parents[self.children_right[inner]] = inner
        return parents

    def decision_path(self, X: Any) -> csr_matrix:
        """Nodes passed by each row, as an (n, n_nodes) CSR matrix of ones.

        Cost O(n depth).
        """
        node = self.apply(X)
        length = self.depths[node] + 1
        indptr = np.concatenate([[0], np.cumsum(length)])
        indices = np.empty(indptr[-1], dtype=np.int32)
        # One level of the tree at a time, from the leaves to the root.
        parents, row = self.parents(), np.arange(len(node))
        while len(row):
            indices[indptr[row] + self.depths[node]] = node
            node = parents[node]
            inside = node >= 0
            node, row = node[inside], row[inside]
        ones = np.ones(len(indices), dtype=np.int64)
        return csr_matrix((ones, indices, indptr), (len(X), self.n_nodes))
