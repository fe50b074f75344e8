"""Where a training starts: labels that the first parameters are led towards."""

import numpy as np
from sklearn.cluster import kmeans_plusplus
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils.random import sample_without_replacement

from gemclus._common.threads import one_thread
from gemclus._common.validation import check_choice

# How much more probable the pre-training makes the label of a sample than each of
# the others. Sharper starts are a trap: information-based objectives stay there.
_ODDS = 3.0
# A few iterations are enough on standardised data, and more end no better. Only
# a model that is still far from the labels goes on, up to the sum of these.
_PRETRAINING_ITERATIONS = (12, 24)
_NEAR = 0.8  # of the samples have their label
# Samples among which k-means++ chooses each next centre. With fewer, more starts
# end in poor optima; many more make the starts alike.
_SEEDING_TRIALS = 20
# Of larger data, so many samples drawn at random are enough to choose centres from.
_SEEDING_SAMPLES = 20_000


def check_init(init, n_samples=None, n_clusters=None):
    """Refuse an `init` that is neither a name nor the labels of the samples.

    Returns
    -------
    init : str or ndarray of shape (n_samples,)
    """
    if isinstance(init, str):
        return check_choice("init", init, ["random", "k-means++"])
    try:
        labels = np.asarray(init)
    except ValueError as error:
        message = f"init must be a name or an array of labels: {error}"
        raise TypeError(message) from error
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise TypeError(
            "init must be 'random', 'k-means++' or a one-dimensional array of integer "
            f"labels, got {_described(init, labels)}"
        )
    if n_samples is not None:
        if len(labels) != n_samples:
            raise ValueError(
                f"init must give one label for each of the {n_samples} samples, got "
                f"{len(labels)}"
            )
        if labels.min() < 0 or labels.max() >= n_clusters:
            raise ValueError(
                f"init must hold labels from 0 to {n_clusters - 1}, got "
                f"{labels.min()} to {labels.max()}"
            )
    return labels


def _described(init, labels):
    """Few words for an `init` of the wrong kind."""
    if labels.ndim == 0:
        return repr(init)
    return f"an array of shape {labels.shape} and type {labels.dtype}"


def starting_labels(init, X, n_clusters, random_state):
    """Labels to start from, or None for a random start.

    ``"k-means++"`` gives each sample to the nearest of the centres that such a
    seeding chooses, without the iterations of k-means: their end points are fewer,
    and trainings that start there reach good optima less often. O(N D K), and
    O(N) memory.
    """
    init = check_init(init, X.shape[0], n_clusters)
    if not isinstance(init, str):
        return init
    if init == "random":
        return None
    candidates = X
    if X.shape[0] > _SEEDING_SAMPLES:
        drawn = sample_without_replacement(
            X.shape[0], _SEEDING_SAMPLES, random_state=random_state
        )
        candidates = X[drawn]
    # OpenMP threads would hang every process forked afterwards.
    with one_thread("openmp"):
        centres, _ = kmeans_plusplus(
            candidates,
            n_clusters,
            random_state=random_state,
            n_local_trials=_SEEDING_TRIALS,
        )
        return pairwise_distances_argmin(X, centres)


def start(trainer, init, random_state):
    """Lead the new parameters of a model to where `init` says."""
    n_clusters = trainer.model.n_clusters
    labels = starting_labels(init, trainer.task.X, n_clusters, random_state)
    if labels is not None:
        pretrain(trainer, labels)


def pretrain(trainer, labels):
    """Lead the parameters of a model softly towards `labels`.

    Maximises the cross-entropy of softened labels by L-BFGS through the hooks
    of the model, so that it works for any.

    Parameters
    ----------
    trainer : Trainer
        The training to come: its model is the one that moves.
    labels : ndarray of shape (N,)
        Labels from 0 to K - 1.
    """
    n_clusters = trainer.model.n_clusters
    targets = np.ones((len(labels), n_clusters))
    targets[np.arange(len(labels)), labels] = _ODDS
    targets /= n_clusters - 1.0 + _ODDS

    def cross_entropy(y_pred, affinity, return_grad):
        y_pred = np.maximum(y_pred, 1e-12)
        value = float((targets * np.log(y_pred)).sum()) / len(labels)
        return value, (targets / y_pred / len(labels)).astype(y_pred.dtype, copy=False)

    for n_iterations in _PRETRAINING_ITERATIONS:
        trainer.lead_towards(cross_entropy, n_iterations)
        y_pred = trainer.model._infer(trainer.task.X, retain=False)
        if np.mean(np.argmax(y_pred, axis=1) == labels) >= _NEAR:
            break
