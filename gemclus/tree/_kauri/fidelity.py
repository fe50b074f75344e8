"""Agreement of a tree with the clustering that it explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

from gemclus._common.pipelines import last_step
from gemclus._common.typing import ArrayLike
from gemclus._common.validation import check_labels
from gemclus.tree._kauri.estimator import Kauri


@dataclass(frozen=True)
class FidelityReport:
    """Agreement of the clusters of a tree with some labels; see `fidelity`.

    Attributes
    ----------
    accuracy : float
        Share of the samples whose label is the commonest one of their cluster
        in the tree.
    adjusted_rand : float
        Adjusted Rand index of the two partitions.
    label_names : ndarray of shape (C,)
        The labels.
    recall : ndarray of shape (C,)
        For each label, the share of its samples whose cluster stands for it;
        0 for a label that no cluster stands for.
    table : ndarray of int of shape (K, C)
        Number of samples by cluster of the tree and label.
    cluster_labels : ndarray of shape (K,)
        The label that each cluster of the tree stands for. As `cluster_names`,
        it makes the exports speak of the labels.
    n_leaves : int
        Number of rules.
    depth : int
        Largest number of tests in a rule.

    See Also
    --------
    fidelity : Makes one.
    sklearn.metrics.adjusted_rand_score : One of its measures.

    Examples
    --------
    >>> from gemclus.tree import Kauri, fidelity
    >>> X, labels = [[0.0], [1.0], [8.0], [9.0]], ["low", "low", "high", "high"]
    >>> tree = Kauri(max_clusters=2, kernel="labels").fit(X, labels)
    >>> report = fidelity(tree, X, labels)
    >>> report.accuracy, report.n_leaves, report.cluster_labels.tolist()
    (1.0, 2, ['low', 'high'])
    """

    accuracy: float
    adjusted_rand: float
    label_names: np.ndarray
    recall: np.ndarray
    table: np.ndarray
    cluster_labels: np.ndarray
    n_leaves: int
    depth: int

    def __str__(self) -> str:
        lines = [
            f"{self.n_leaves} rules of at most {self.depth} tests tell "
            f"{100 * self.accuracy:.1f}% of the labels "
            f"(adjusted Rand index {self.adjusted_rand:.3f})"
        ]
        for name, recall, size in zip(
            self.label_names, self.recall, self.table.sum(axis=0), strict=True
        ):
            lines.append(f"  label {name}: {100 * recall:.1f}% of {size}")
        return "\n".join(lines)


def fidelity(kauri_tree: Any, X: Any, labels: ArrayLike) -> FidelityReport:
    """Compare the clusters of a tree with given labels.

    Parameters
    ----------
    kauri_tree : Kauri or Pipeline
        A fitted tree, typically grown on these labels by ``kernel="labels"``;
        then on new samples the report says how well the rules generalise. Or a
        Pipeline that ends in one.
    X : array-like of shape (n, D)
        Samples, those of the fit or new ones.
    labels : array-like of shape (n,)
        Their labels in the clustering that the tree shall explain.

    Returns
    -------
    report : FidelityReport
        Its ``print`` is a summary.

    Raises
    ------
    NotFittedError
        If the tree is not fitted.
    ValueError, TypeError
        If `X` or `labels` are not what they should be.

    See Also
    --------
    FidelityReport : The result.
    Kauri : The tree.
    export_text : The rules of a tree as text.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import load_iris
    >>> from gemclus.tree import Kauri, fidelity
    >>> X = load_iris().data
    >>> labels = KMeans(3, n_init=10, random_state=0).fit_predict(X)
    >>> tree = Kauri(max_clusters=3, max_leaves=4, kernel="labels").fit(X, labels)
    >>> fidelity(tree, X, labels).accuracy > 0.95
    True
    """
    kauri = last_step(kauri_tree)
    if not isinstance(kauri, Kauri):
        raise TypeError(
            "kauri_tree must be a Kauri, or a Pipeline that ends in one, got "
            f"{type(kauri).__name__}"
        )
    predicted = kauri_tree.predict(X)
    names, codes = check_labels("labels", labels, len(predicted))
    table = np.zeros((kauri.n_clusters_, len(names)), dtype=np.int64)
    np.add.at(table, (predicted, codes), 1)
    stands_for = table.argmax(axis=1)
    told = np.zeros(len(names), dtype=np.int64)
    np.add.at(told, stands_for, table[np.arange(len(table)), stands_for])
    return FidelityReport(
        accuracy=float(told.sum() / len(codes)),
        adjusted_rand=float(adjusted_rand_score(codes, predicted)),
        label_names=names,
        recall=told / table.sum(axis=0),
        table=table,
        cluster_labels=names[stands_for],
        n_leaves=kauri.tree_.n_leaves,
        depth=kauri.tree_.max_depth,
    )
