"""Means of the clusters of a tree."""

import numpy as np

from gemclus.tree._kauri.kernel import column_means


def cluster_means(X, labels, n_clusters, weights=None):
    """Means of the samples of each cluster over the values that are not missing.

    Parameters
    ----------
    X : ndarray of shape (N, D)
        Samples; NaN where a value is missing.
    labels : ndarray of int of shape (N,)
        Their clusters, each of which has a sample of positive weight.
    n_clusters : int
    weights : ndarray of shape (N,), default=None

    Returns
    -------
    means : ndarray of shape (n_clusters, D)
        Where a cluster has no value, the mean of all samples. Cost O(N D).
    """
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(labels, minlength=n_clusters))[:-1])
    means = np.empty((n_clusters, X.shape[1]))
    for k, rows in enumerate(parts):
        members = X[rows]
        weight = None if weights is None else weights[rows]
        means[k] = column_means(members, weight)
        known = ~np.isnan(members)
        if weight is not None:
            known &= weight[:, None] > 0.0
        means[k, ~known.any(axis=0)] = np.nan
    if np.isnan(means).any():
        means = np.where(np.isnan(means), column_means(X, weights), means)
    return means
