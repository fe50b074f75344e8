"""The labels that a soft start leads each head towards."""

from __future__ import annotations

import numpy as np

from gemclus.affinity import distance_affinity, kernel_affinity, seed_labels
from gemclus.torch._house import check_seed


def starting_labels(task, seed):
    """The labels that the `init` of a task gives one start.

    Parameters
    ----------
    task : Task
        What is trained.
    seed : int
        Source of the draws.

    Returns
    -------
    labels : ndarray of shape (n_heads, N) or None
        Labels from 0 to K - 1, -1 where they are unknown; None for a random start.
    """
    if not isinstance(task.init, str):
        return np.tile(task.init, (task.n_heads, 1))
    if task.init == "random":
        return None
    X = task.X.flatten(1)
    X = (X if X.dtype.itemsize >= 4 else X.float()).numpy()
    weight = None if task.weight is None else task.weight.double().numpy()
    affinity = _geometry(task.loss._objective, X, task.affinity)
    random_state = check_seed(seed)
    return np.stack(
        [
            seed_labels(affinity, X, task.n_clusters, random_state, weight)
            for _ in range(task.n_heads)
        ]
    )


def _geometry(objective, X, affinity):
    """The kernel or the distances of an objective, or None for Euclidean ones.

    No N x N array is made, as training with batches makes none.
    """
    name, params = objective.affinity, objective.params
    if not isinstance(name, str) or name == "geodesic":
        return None
    if objective.family == "mmd":
        return kernel_affinity(X, name, params, affinity, minibatch=True, sparse=True)
    return distance_affinity(X, name, params, affinity, minibatch=True)
