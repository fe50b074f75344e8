"""Texts that exports share: names, tests, sizes, colours."""

import re
from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from gemclus._common.pipelines import first_step, last_step
from gemclus._common.validation import check_int
from gemclus.tree._export.columns import Membership, check_finite, columns_of
from gemclus.tree._kauri.estimator import Kauri

# Colours of clusters (Okabe and Ito), told apart by colour-blind readers too.
COLOURS = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#999999",
)


@dataclass(frozen=True)
class Split:
    """The test of an inner node, in the units of the input.

    Attributes
    ----------
    column : Number or Membership
        What it looks at.
    threshold : float
        Rows of numbers up to it go left.
    missing_left : bool or None
        Whether rows without a value go left; None if they are refused.
    """

    column: object
    threshold: float
    missing_left: bool | None


class Reader:
    """The texts of the nodes of a fitted tree.

    Cluster sizes and names are looked up, numbers are formatted, and the limit
    of depth is applied here, so that the exporters only lay out.
    """

    def __init__(
        self, kauri_tree, feature_names, cluster_names, decimals=2, max_depth=None
    ):
        self.kauri, self.columns = check_tree(kauri_tree)
        self.tree = self.kauri.tree_
        self.decimals = check_int("decimals", decimals, 0)
        self.max_depth = (
            self.tree.max_depth
            if max_depth is None
            else check_int("max_depth", max_depth, 0)
        )
        self.features = feature_texts(kauri_tree, feature_names)
        self.clusters = cluster_texts(cluster_names, self.kauri.n_clusters_)
        self.splits = _splits(self.tree, self.columns)
        self._texts = self._threshold_texts()

    def is_leaf(self, node):
        return self.tree.children_left[node] < 0

    def is_cut_off(self, node):
        """Whether the node has children that are too deep to be shown."""
        return not self.is_leaf(node) and self.tree.depths[node] >= self.max_depth

    def tests(self, node, greater=">", significant=False):
        """Conditions of the left and of the right side of an inner node.

        With `significant`, numbers have six significant digits.
        """
        split = self.splits[node]
        name = self.features[split.column.source]
        if isinstance(split.column, Membership):
            return _membership_texts(name, split.column)
        if split.threshold == np.inf and split.missing_left is False:
            return f"{name} is not missing", f"{name} is missing"
        threshold = f"{split.threshold:.6g}" if significant else self._texts[node]
        tests = [f"{name} <= {threshold}", f"{name} {greater} {threshold}"]
        if split.missing_left is not None and self._says_missing(node):
            tests[0 if split.missing_left else 1] += " or missing"
        return tuple(tests)

    def _says_missing(self, node):
        """Whether values of a feature were missing when the tree was grown."""
        known = getattr(self.kauri, "missing_features_", None)
        return known is not None and bool(known[self.tree.features[node]])

    def cluster(self, node):
        return self.clusters[self.tree.target[node]]

    def levels_from(self, node):
        """Number of levels from a node, itself included, to its deepest leaf."""
        top, pending = self.tree.depths[node], [node]
        deepest = top
        while pending:
            node = pending.pop()
            deepest = max(deepest, self.tree.depths[node])
            if not self.is_leaf(node):
                pending += [
                    self.tree.children_left[node],
                    self.tree.children_right[node],
                ]
        return deepest - top + 1

    def lines(self, node, node_ids, proportion):
        """The text of a node in a drawing, line by line."""
        lines = [f"node #{node}"] if node_ids else []
        if not self.is_leaf(node):
            lines.append(self.tests(node)[0])
            lines.append(self._gain(node))
        size = self.tree.sizes[node]
        if proportion:
            share = 100.0 * size / self.tree.sizes[0]
            lines.append(f"samples = {share:.{min(self.decimals, 1)}f}%")
        else:
            lines.append(f"samples = {size}")
        if self.is_leaf(node):
            lines.append(f"cluster = {self.cluster(node)}")
        if self.is_cut_off(node):
            lines.append("(...)")
        return lines

    def _gain(self, node):
        """Share of the variation of the training samples that a split explains."""
        gain = self.tree.gains[node]
        # Trees of the first release know no variation, and odd kernels have none.
        variation = getattr(self.kauri, "variation_", 0.0)
        if variation <= 0.0:
            return f"gain = {gain:.{self.decimals}f}"
        return f"explains {100.0 * gain / variation:.3g}%"

    def shown(self):
        """Nodes within the depth, each before its children, left before right."""
        pending, nodes = [0], []
        while pending:
            node = pending.pop()
            nodes.append(node)
            if not self.is_leaf(node) and not self.is_cut_off(node):
                pending.append(self.tree.children_right[node])
                pending.append(self.tree.children_left[node])
        return nodes

    def cluster_sizes(self):
        """Number of samples of each cluster below each node, (n_nodes, K)."""
        return cluster_sizes(self.tree, self.kauri.n_clusters_)

    def colours(self):
        """Fill of each node: that of its largest cluster, paler where others mix."""
        sizes = self.cluster_sizes()
        share = sizes / np.maximum(sizes.sum(axis=1, keepdims=True), 1e-300)
        order = np.sort(share, axis=1)
        second = order[:, -2] if share.shape[1] > 1 else 0.0
        strength = order[:, -1] - second
        return [
            _mix(colour_of(cluster), weight)
            for cluster, weight in zip(share.argmax(axis=1), strength, strict=True)
        ]

    def _threshold_texts(self):
        """Thresholds as text; those of a column that differ are told apart."""
        texts = {}
        inner = np.flatnonzero(self.tree.children_left >= 0).tolist()
        by_source = {}
        for node in inner:
            by_source.setdefault(self.splits[node].column.source, []).append(node)
        for nodes in by_source.values():
            values = [self.splits[node].threshold for node in nodes]
            texts.update(zip(nodes, number_texts(values, self.decimals), strict=True))
        return texts


def check_tree(kauri_tree):
    """The Kauri of a tree or pipeline, and the columns that it reads."""
    final = last_step(kauri_tree)
    if not isinstance(final, Kauri):
        of_pipeline = " at the end of the pipeline" if final is not kauri_tree else ""
        raise TypeError(
            "kauri_tree must be a Kauri, or a Pipeline that ends in one, got "
            f"{type(final).__name__}{of_pipeline}"
        )
    check_is_fitted(final)
    final.tree_.check(final.n_features_in_)
    if not isinstance(kauri_tree, Pipeline):
        kauri_tree = final
    return columns_of(kauri_tree)


def feature_names_of(model, feature_names):
    """Names of the columns of a model or pipeline: given, of the fit, or None."""
    first = first_step(model)
    if feature_names is None:
        feature_names = getattr(first, "feature_names_in_", None)
    if feature_names is None:
        return None
    n_features = first.n_features_in_
    return check_names("feature_names", feature_names, n_features, "n_features_in_")


def feature_texts(model, feature_names):
    """Names of the columns, on one line each."""
    names = feature_names_of(model, feature_names)
    if names is None:
        return [f"X[:, {f}]" for f in range(first_step(model).n_features_in_)]
    return [_one_line(name) for name in names]


def cluster_texts(cluster_names, n_clusters):
    """Names of the clusters, on one line each; None takes their numbers."""
    if cluster_names is None:
        return [str(k) for k in range(n_clusters)]
    names = check_names("cluster_names", cluster_names, n_clusters, "n_clusters_")
    return [_one_line(name) for name in names]


def check_names(argument, names, count, attribute):
    """Names as a list of strings, checked for their number."""
    in_order = not isinstance(names, (str, bytes, dict, set, frozenset))
    if not in_order or not hasattr(names, "__len__"):
        raise TypeError(f"{argument} must be a list of {count} names, got {names!r}")
    if len(names) != count:
        raise ValueError(
            f"{argument} must hold {count} names ({attribute}), got {len(names)}"
        )
    return [str(name) for name in names]


def number_texts(values, decimals):
    """Numbers with some decimals, or more where two would read alike or as zero."""
    values = [float(value) for value in values]
    for digits in range(decimals, 18):
        texts = [_number_text(value, digits) for value in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


def _number_text(value, decimals):
    text = f"{value:.{decimals}f}"
    if value != 0.0 and float(text) == 0.0:
        return f"{value:.{decimals}e}"
    return text


def _one_line(name):
    return re.sub(r"\s*[\r\n\v\f\x85\u2028\u2029]+\s*", " ", name)


def _membership_texts(name, column):
    """Left is where the feature is zero, right where it is one."""
    ones = column.categories
    if column.of_others:
        ones = [c for c in column.known if c not in column.categories]
    members = [("missing" if c is None else _one_line(str(c))) for c in ones]
    if len(members) == 1:
        tests = f"{name} != {members[0]}", f"{name} = {members[0]}"
    else:
        listed = ", ".join(members)
        tests = f"{name} not in {{{listed}}}", f"{name} in {{{listed}}}"
    return tests[::-1] if column.of_others else tests


def _splits(tree, columns):
    """The test of each inner node; thresholds of a column are undone together."""
    inner = np.flatnonzero(tree.children_left >= 0)
    splits = {}
    for feature in np.unique(tree.features[inner]):
        column = columns[feature]
        nodes = inner[tree.features[inner] == feature]
        thresholds = tree.thresholds[nodes]
        if isinstance(column, Membership):
            check_finite(column)
            undone, missing = np.full(len(nodes), 0.5), [None] * len(nodes)
        else:
            undone = column.undo(thresholds)
            missing = _missing_left(tree, column, nodes, thresholds)
        for node, threshold, left in zip(nodes, undone, missing, strict=True):
            splits[int(node)] = Split(column, float(threshold), left)
    return splits


def _missing_left(tree, column, nodes, thresholds):
    if not np.isnan(column.missing):
        return [bool(left) for left in column.missing <= thresholds]
    return [bool(left) for left in tree.missing_go_to_left[nodes]]


def cluster_sizes(tree, n_clusters):
    """Number of training samples of each cluster below each node, (n_nodes, K)."""
    sizes = np.zeros((tree.n_nodes, n_clusters))
    leaves = np.flatnonzero(tree.children_left < 0)
    sizes[leaves, tree.target[leaves]] = tree.sizes[leaves]
    # Children have larger numbers than their parents.
    for node in np.flatnonzero(tree.children_left >= 0)[::-1]:
        children = [tree.children_left[node], tree.children_right[node]]
        sizes[node] = sizes[children].sum(axis=0)
    return sizes


def colour_of(cluster):
    """The colour of a cluster."""
    return COLOURS[cluster % len(COLOURS)]


def _mix(colour, strength):
    """A colour thinned with white."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    mixed = [round(255 + strength * (part - 255)) for part in parts]
    return "#" + "".join(f"{part:02x}" for part in mixed)
