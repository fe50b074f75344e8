"""The fitted tree as plain arrays."""

import numpy as np
from scipy.sparse import csr_matrix

from gemclus.tree._kauri.growth import apply

#: How the two sides of a split were filed, by the number in `KauriTree.kinds`.
SPLIT_KINDS = ("leaf", "star", "double star", "switch", "refurbish")


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
    """

    def __init__(
        self,
        children_left,
        children_right,
        features,
        thresholds,
        gains,
        depths,
        target,
        sizes,
        kinds,
    ):
        self.children_left = children_left
        self.children_right = children_right
        self.features = features
        self.thresholds = thresholds
        self.gains = gains
        self.depths = depths
        self.target = target
        self.sizes = sizes
        self.kinds = kinds

    @property
    def n_nodes(self):
        """Number of nodes."""
        return len(self.children_left)

    @property
    def n_leaves(self):
        """Number of leaves."""
        return int((self.children_left < 0).sum())

    @property
    def max_depth(self):
        """Largest number of splits between the root and a leaf."""
        return int(self.depths.max())

    def __repr__(self):
        return f"<KauriTree: {self.n_leaves} leaves, depth {self.max_depth}>"

    def apply(self, X):
        """Leaf, as a node number, of each row of a C-contiguous float64 array."""
        return apply(
            self.children_left,
            self.children_right,
            self.features,
            self.thresholds,
            X,
        )

    def parents(self):
        """Parent of each node; -1 for the root. Shape (n_nodes,)."""
        parents = np.full(self.n_nodes, -1, dtype=np.int32)
        inner = np.flatnonzero(self.children_left >= 0)
        parents[self.children_left[inner]] = inner
        parents[self.children_right[inner]] = inner
        return parents

    def decision_path(self, X):
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
