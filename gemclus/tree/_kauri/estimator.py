"""Kauri: unsupervised trees grown on a kernel-k-means objective."""

from math import ceil, log2, sqrt
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from gemclus._common.pickling import VersionedStateMixin
from gemclus._common.validation import (
    check_bool,
    check_choice,
    check_float,
    check_int,
    check_samples,
)
from gemclus.tree._kauri.growth import grow
from gemclus.tree._kauri.kernel import (
    GrowthKernel,
    is_definite,
    objective,
    tree_affinity,
)
from gemclus.tree._kauri.structure import SPLIT_KINDS, KauriTree

_MOST_SAMPLES = 2**30


class Kauri(VersionedStateMixin, ClusterMixin, BaseEstimator):
    """Decision tree that clusters by itself, split by split.

    The tree raises the kernel-k-means objective

    .. math:: J = \\sum_k \\frac{1}{|C_k|} \\sum_{x, x' \\in C_k} \\kappa(x, x')

    greedily: each round splits the leaf, at the feature and threshold, that
    raise it most, while it can be raised. The sides of a leaf of cluster `k`
    are filed in one of four ways: one founds a new cluster (*star*), both do
    (*double star*), one joins another cluster (*switch*), or each joins
    another one (*refurbish*). Several leaves may thus belong to a cluster.

    Parameters
    ----------
    max_clusters : int, default=3
        Largest number of clusters.
    max_depth : int, default=None
        Largest number of splits between the root and a leaf.
    min_samples_split : int or float, default=2
        Smallest size of a node that is split, the root included; a float is a
        fraction of the number of samples.
    min_samples_leaf : int or float, default=1
        Smallest size of a leaf; a float is a fraction.
    max_features : int, float or {"sqrt", "log2"}, default=None
        Number of features drawn for each leaf, among which it is split; those
        that are constant in the leaf do not count. A float is a fraction. None
        takes all.
    max_leaves : int, default=None
        Largest number of leaves.
    kernel : str or callable, default="linear"
        A name of `sklearn.metrics.pairwise.kernel_metrics`, ``"precomputed"``
        (the matrix is the ``y`` of `fit`), ``"labels"`` (see Notes), or a
        callable ``k(X)`` that returns an (N, N) array.
    verbose : bool, default=False
        Whether to print the splits, in the order in which they were made.
    random_state : int, RandomState or None, default=None
        Source of the features drawn, if `max_features` is less than all.
    kernel_params : dict, default=None
        Arguments of the named kernel or the callable.
    min_gain : float, default=0.0
        Growth stops when the best split gains less than this fraction of the
        scatter of all samples: of what would be gained by giving each sample a
        cluster of its own. With 0.01, each split explains at least one percent
        of the variation of the data (for the linear kernel).

    Attributes
    ----------
    labels_ : ndarray of int64 of shape (N,)
        Cluster of each training sample.
    leaves_ : ndarray of int64 of shape (N,)
        Leaf of each training sample, numbered from 0: the left side of a split
        keeps the number of its leaf, the right side takes the next one.
    tree_ : KauriTree
        The nodes, as parallel arrays.
    n_clusters_ : int
        Number of clusters found.
    feature_importances_ : ndarray of shape (D,)
        Share of each feature in the sum of all gains.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (D,)
        Their names, when the data had any.

    See Also
    --------
    export_text : The rules of a tree as text.
    plot_tree : The tree drawn by matplotlib.
    fidelity : How faithfully a tree explains a given clustering.

    Notes
    -----
    *Thresholds* lie in the middle of the gap between the two sides. Among
    splits whose gains agree to nine digits, the tree takes the simplest kind,
    then the widest gap relative to the range of the feature, then the lowest
    threshold, so that neither the order of the samples nor, where the data
    allow, that of the features matters.

    *Explaining a clustering.* With ``kernel="labels"`` the ``y`` of `fit` holds
    the labels of any clustering (or probabilities, of shape (N, n_labels)), and
    the kernel is the inner product of their memberships. The objective is then
    ``N`` times one minus the weighted Gini impurity of the labels in the
    clusters of the tree, and `gemclus.tree.fidelity` says how well the tree
    tells them.

    *Cost.* With `K` clusters, a kernel with a factor of rank `r` (linear:
    ``r = D``; cosine; polynomial of a low degree; labels) costs at most
    ``O(N D (r + K))`` operations per split and no N x N array; any other one
    ``O(N D (N + K))``. The memory beside `X` is about ``50 N D + 16 N (r + K)``
    bytes, and that of the kernel matrix if there is one. The GIL is released,
    and Ctrl-C is obeyed within a second.

    References
    ----------
    Ohl, Mattei, Leclercq, Droit, Precioso, "Kernel KMeans clustering splits for
    end-to-end unsupervised decision trees", 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from gemclus.tree import Kauri, export_text
    >>> iris = load_iris()
    >>> tree = Kauri(max_clusters=3, max_depth=3).fit(iris.data)
    >>> round(tree.score(iris.data), 4)
    9459.167
    >>> print(export_text(tree, feature_names=iris.feature_names, max_depth=1))
    |--- petal length (cm) <= 3.40
    |   |--- petal length (cm) <= 2.45
    |   |   |--- cluster: 0
    |   |--- petal length (cm) >  2.45
    |   |   |--- cluster: 1
    |--- petal length (cm) >  3.40
    |   |--- petal length (cm) <= 5.15
    |   |   |--- truncated branch of depth 2
    |   |--- petal length (cm) >  5.15
    |   |   |--- cluster: 2
    """

    def __init__(
        self,
        max_clusters=3,
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        max_features=None,
        max_leaves=None,
        kernel="linear",
        verbose=False,
        random_state=None,
        *,
        kernel_params=None,
        min_gain=0.0,
    ):
        self.max_clusters = max_clusters
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.max_leaves = max_leaves
        self.kernel = kernel
        self.verbose = verbose
        self.random_state = random_state
        self.kernel_params = kernel_params
        self.min_gain = min_gain

    def fit(self, X, y=None):
        """Grow the tree.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples.
        y : array-like, default=None
            The kernel (N, N) if `kernel` is ``"precomputed"``; the labels (N,)
            or probabilities (N, n_labels) if it is ``"labels"``; else ignored.

        Returns
        -------
        self : Kauri
            The fitted tree.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not what they should be.
        MemoryError
            If there is not enough memory.
        """
        verbose = check_bool("verbose", self.verbose)
        X = check_samples(self, X, dtype=np.float64, order="C")
        rules = self._growth_rules(*X.shape)
        affinity = tree_affinity(X, self.kernel, self.kernel_params, y)
        kernel = GrowthKernel(affinity, is_definite(self.kernel, self.kernel_params))
        columns = np.ascontiguousarray(X.T)
        order = np.argsort(columns, axis=1, kind="stable").astype(np.int32)
        nodes, leaves, leaf_nodes = grow(
            order,
            np.take_along_axis(columns, order, axis=1),
            kernel.factor,
            kernel.matrix,
            definite=kernel.definite,
            resolution=kernel.resolution,
            **rules,
        )
        tree = KauriTree(*nodes)
        tree.gains *= kernel.scale
        self.n_clusters_ = _close_gaps(tree)
        self.tree_ = tree
        self.leaves_ = leaves.astype(np.int64)
        self.labels_ = tree.target[leaf_nodes][leaves].astype(np.int64)
        if verbose:
            self._report()
        return self

    def fit_predict(self, X, y=None):
        """Grow the tree and return the cluster of each sample.

        Parameters
        ----------
        X, y
            As in `fit`.

        Returns
        -------
        labels : ndarray of int64 of shape (N,)
            `labels_`.
        """
        return self.fit(X, y).labels_

    def predict(self, X):
        """Cluster of each sample.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        labels : ndarray of int64 of shape (n,)
            Their clusters. Cost O(n depth).
        """
        nodes = self.apply(X)
        return self.tree_.target[nodes].astype(np.int64)

    def score(self, X, y=None):
        """The objective `J` of the predicted clusters of some samples.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.
        y : array-like, default=None
            Their kernel or labels, if `fit` needed them.

        Returns
        -------
        value : float
            Sum over the clusters of the kernel within, divided by their sizes;
            larger is better.
        """
        X = self._check_new(X)
        labels = self.tree_.target[self.tree_.apply(X)]
        return objective(tree_affinity(X, self.kernel, self.kernel_params, y), labels)

    def apply(self, X):
        """Leaf that each sample reaches.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        nodes : ndarray of int64 of shape (n,)
            Leaves, as numbers of nodes of `tree_`.
        """
        X = self._check_new(X)
        return self.tree_.apply(X).astype(np.int64)

    def decision_path(self, X):
        """Nodes that each sample passes.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        path : CSR matrix of shape (n, tree_.n_nodes)
            One where the sample passes the node.
        """
        X = self._check_new(X)
        return self.tree_.decision_path(X)

    def get_depth(self):
        """Largest number of splits between the root and a leaf."""
        check_is_fitted(self)
        return self.tree_.max_depth

    def get_n_leaves(self):
        """Number of leaves."""
        check_is_fitted(self)
        return self.tree_.n_leaves

    def to_sklearn(self):
        """The tree as a fitted `sklearn.tree.DecisionTreeClassifier`.

        For tools that read such trees: `sklearn.tree.plot_tree`,
        ``shap.TreeExplainer``, dtreeviz, supertree, treelite.

        Returns
        -------
        classifier : DecisionTreeClassifier
            A copy, with the same nodes and numbers of nodes. Its classes are the
            clusters, its `predict_proba` and impurities are those of the training
            samples. It casts samples to float32 before it looks at them, as
            scikit-learn does, and gives the labels of `predict` for the samples so
            cast.

        Raises
        ------
        NotFittedError
            If the tree is not fitted.
        """
        from gemclus.tree._export.scikit_learn import decision_tree_classifier

        check_is_fitted(self)
        return decision_tree_classifier(self)

    @property
    def feature_importances_(self):
        """Share of each feature in the sum of all gains, (D,); zeros without splits."""
        check_is_fitted(self)
        inner = self.tree_.children_left >= 0
        gains = np.bincount(
            self.tree_.features[inner],
            weights=self.tree_.gains[inner],
            minlength=self.n_features_in_,
        )
        total = gains.sum()
        return gains / total if total > 0 else gains

    def _check_new(self, X):
        check_is_fitted(self)
        return check_samples(self, X, reset=False, dtype=np.float64, order="C")

    def _growth_rules(self, n_samples, n_features):
        """The limits of the growth as numbers, checked."""
        if n_samples > _MOST_SAMPLES:
            raise ValueError(
                f"X must have at most {_MOST_SAMPLES} samples, got {n_samples}"
            )
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        return {
            "max_clusters": min(
                check_int("max_clusters", self.max_clusters, 1), n_samples
            ),
            "max_leaves": _limit("max_leaves", self.max_leaves, n_samples),
            "max_depth": _limit("max_depth", self.max_depth, n_samples),
            "min_samples_split": _size(
                "min_samples_split", self.min_samples_split, 2, n_samples
            ),
            "min_samples_leaf": _size(
                "min_samples_leaf", self.min_samples_leaf, 1, n_samples
            ),
            "max_features": _feature_count(self.max_features, n_features),
            "min_gain": check_float("min_gain", self.min_gain, 0.0),
            "seed": seed,
        }

    def _report(self):
        tree = self.tree_
        # Children are numbered in the order in which the splits were made.
        inner = np.flatnonzero(tree.children_left >= 0)
        for node in inner[np.argsort(tree.children_left[inner])]:
            print(
                f"[Kauri] node {node}: X[:, {tree.features[node]}] <= "
                f"{tree.thresholds[node]:.6g}, {SPLIT_KINDS[tree.kinds[node]]}, "
                f"gain {tree.gains[node]:.6g}"
            )
        print(f"[Kauri] {tree.n_leaves} leaves, {self.n_clusters_} clusters")


def _close_gaps(tree):
    """Number the clusters of the leaves from 0 on; their number."""
    leaves = tree.children_left < 0
    used = np.unique(tree.target[leaves])
    number = np.full(tree.target.max() + 1, -1, dtype=np.int32)
    number[used] = np.arange(len(used))
    tree.target = number[tree.target]
    return len(used)


def _limit(name, value, unlimited):
    """An upper limit, None standing for none."""
    return unlimited if value is None else min(check_int(name, value, 1), unlimited)


def _size(name, value, minimum, n_samples):
    """A number of samples, given as such or as a fraction of all."""
    if isinstance(value, Integral) or not isinstance(value, Real):
        # More than there are forbids every split, as n_samples + 1 does.
        return min(check_int(name, value, minimum), n_samples + 1)
    fraction = check_float(name, value, 0.0, 1.0, strict=True)
    return max(minimum, ceil(fraction * n_samples))


def _feature_count(max_features, n_features):
    """Number of features to draw for each leaf."""
    if max_features is None:
        return n_features
    if isinstance(max_features, str):
        check_choice("max_features", max_features, ("log2", "sqrt"))
        root = sqrt if max_features == "sqrt" else log2
        return max(1, int(root(n_features)))
    if isinstance(max_features, Integral) or not isinstance(max_features, Real):
        count = check_int("max_features", max_features, 1)
        if count > n_features:
            raise ValueError(
                f"max_features must be at most n_features={n_features}, got {count}"
            )
        return count
    fraction = check_float("max_features", max_features, 0.0, 1.0, strict=True)
    return max(1, int(fraction * n_features))
