"""A Kauri tree as a fitted tree of scikit-learn.

The only file that knows the private state of scikit-learn's `Tree`.
"""

import numpy as np
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import NODE_DTYPE, Tree

from gemclus.tree._export.reader import cluster_sizes


def decision_tree_classifier(kauri):
    """A fitted `DecisionTreeClassifier` with the splits of a fitted `Kauri`."""
    n_clusters, n_features = kauri.n_clusters_, kauri.n_features_in_
    classifier = DecisionTreeClassifier(
        max_depth=kauri.max_depth, max_leaf_nodes=_at_least_two(kauri.max_leaves)
    )
    classifier.n_features_in_ = n_features
    if hasattr(kauri, "feature_names_in_"):
        classifier.feature_names_in_ = kauri.feature_names_in_
    classifier.n_outputs_ = 1
    classifier.classes_ = np.arange(n_clusters)
    classifier.n_classes_ = n_clusters
    classifier.max_features_ = n_features
    classifier.tree_ = _state(kauri, n_clusters, n_features)
    return classifier


def _at_least_two(max_leaves):
    return None if max_leaves is None or max_leaves < 2 else max_leaves


def _state(kauri, n_clusters, n_features):
    tree = kauri.tree_
    sizes = cluster_sizes(tree, n_clusters)
    totals = sizes.sum(axis=1)
    shares = sizes / totals[:, None]
    is_leaf = tree.children_left < 0
    nodes = np.zeros(tree.n_nodes, dtype=NODE_DTYPE)
    nodes["left_child"] = tree.children_left
    nodes["right_child"] = tree.children_right
    nodes["feature"] = np.where(is_leaf, -2, tree.features)
    nodes["threshold"] = np.where(is_leaf, -2.0, tree.thresholds)
    nodes["impurity"] = 1.0 - (shares**2).sum(axis=1)
    nodes["n_node_samples"] = tree.sizes
    nodes["weighted_n_node_samples"] = totals
    nodes["missing_go_to_left"] = tree.missing_go_to_left
    converted = Tree(n_features, np.array([n_clusters], dtype=np.intp), 1)
    converted.__setstate__(
        {
            "max_depth": tree.max_depth,
            "node_count": tree.n_nodes,
            "nodes": nodes,
            "values": np.ascontiguousarray(shares[:, None, :]),
        }
    )
    return converted
