"""Starts of a training: labels that the first parameters are led towards."""

from dataclasses import dataclass

import numpy as np

from gemclus._common.validation import check_choice
from gemclus._training.monitor import Monitor
from gemclus._training.samples import PATIENCE, STARTS, TOL, trains_on_samples
from gemclus._training.state import adopt, twin_of
from gemclus._training.trainer import Trainer
from gemclus.affinity import Distances, seed_labels


@dataclass(frozen=True)
class Lead:
    """Settings of the way that parameters are led towards labels.

    Attributes
    ----------
    odds : float
        How much more probable the label of a sample becomes than each of the others.
    stages : tuple of int
        Numbers of iterations: one stage after the other.
    near : float
        The share of the samples with their label from which no further stage is run.
    gain : float
        The share that a stage must have won for a further one.
    """

    odds: float
    stages: tuple
    near: float
    gain: float


# Sharper starts are a trap: objectives stay where these put them. A few iterations
# are enough on standardised data, and more end no better.
_SOFT = Lead(odds=3.0, stages=(12, 24), near=0.8, gain=0.0)
# Cells of any shape are worth following: the first steps from a soft start, which
# gains from wherever it softens, lose them again.
_FIRM = Lead(odds=30.0, stages=(12, 24, 48, 96, 192), near=0.95, gain=0.02)


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
        if labels.min() < -1 or labels.max() >= n_clusters:
            raise ValueError(
                f"init must hold labels from 0 to {n_clusters - 1}, or -1 where they "
                f"are unknown, got {labels.min()} to {labels.max()}"
            )
        if labels.max() < 0:
            raise ValueError("init must hold the label of some sample, got -1 for all")
    return labels


def _described(init, labels):
    """Few words for an `init` of the wrong kind."""
    if labels.ndim == 0:
        return repr(init)
    return f"an array of shape {labels.shape} and type {labels.dtype}"


def starting_labels(init, task, n_clusters, random_state):
    """Labels to start from, -1 where they are unknown, or None for a random start.

    ``"k-means++"`` gives each sample to the nearest of the centres that such a
    seeding chooses, without the iterations of k-means: their end points are fewer,
    and trainings that start there reach good optima less often. Near is what the
    kernel or the metric of the objective says, else Euclidean distance.
    """
    init = check_init(init, task.X.shape[0], n_clusters)
    if not isinstance(init, str):
        return init
    if init == "random":
        return None
    affinity, weights = task.affinity, task.sample_weight
    return seed_labels(affinity, task.X, n_clusters, random_state, weights)


def start(trainer, init, random_state):
    """Lead the new parameters of a model to where `init` says.

    On large data a sample of the rows leads, and trainings on samples follow where they
    may: see `samples.py`.

    Returns
    -------
    on_samples : bool
        Whether there were such trainings.
    """
    n_clusters, n_samples = trainer.model.n_clusters, trainer.task.X.shape[0]
    led = isinstance(init, str) and init != "random"
    if led and n_samples < n_clusters:
        raise ValueError(
            f"n_samples={n_samples} must be at least n_clusters={n_clusters} with "
            f"init={init!r}"
        )
    model = trainer.model
    trains = trains_on_samples(model, trainer.source)
    # Labels are given for all rows, and may be for few.
    may = isinstance(init, str) and trainer.source.independent_rows
    samples = trainer.task.samples(random_state) if may and (trains or led) else []
    if not samples:
        _lead(trainer, init, random_state)
        return False
    smallest, *others = samples
    if not trains:
        _lead(Trainer(model, smallest, random_state), init, random_state)
        return False
    _train_on_smallest(trainer, smallest, init, random_state)
    for task in others:
        Trainer(model, task, random_state).run(model.max_iter, Monitor(TOL, PATIENCE))
    # Their own solver, and predictions that are not the first any more.
    model.optimiser_ = model._make_optimiser()
    trainer.source = trainer.task.source(model)
    return True


def _train_on_smallest(trainer, task, init, random_state):
    """Train from several starts on the smallest sample, and keep the best."""
    model = candidate = best = trainer.model
    highest = -np.inf
    for position in range(STARTS):
        if position:
            candidate = twin_of(model, apart=True)
            candidate._init_params(random_state, trainer.task.X)
            candidate.optimiser_ = candidate._make_optimiser()
        stage = Trainer(candidate, task, random_state, fresh=position == 0)
        _lead(stage, init, random_state)
        monitor = Monitor(TOL, PATIENCE)
        stage.run(model.max_iter, monitor)
        if monitor.curve and monitor.curve[-1] > highest:
            best, highest = candidate, monitor.curve[-1]
    if best is not model:
        adopt(model, best)


def _lead(trainer, init, random_state):
    """Lead the parameters towards labels, if there are any."""
    n_clusters = trainer.model.n_clusters
    labels = starting_labels(init, trainer.task, n_clusters, random_state)
    if labels is not None:
        affinity = trainer.task.affinity
        firm = isinstance(affinity, Distances) and affinity.along_data
        pretrain(trainer, labels, _FIRM if firm else _SOFT)


def pretrain(trainer, labels, lead=_SOFT):
    """Lead the parameters of a model softly towards `labels`.

    Maximises the cross-entropy of softened labels by L-BFGS through the hooks
    of the model, so that it works for any.

    Parameters
    ----------
    trainer : Trainer
        The training to come: its model is the one that moves.
    labels : ndarray of shape (N,)
        Labels from 0 to K - 1; samples of -1 do not lead.
    lead : Lead
        How far.
    """
    n_clusters = trainer.model.n_clusters
    known = np.flatnonzero(labels >= 0)
    targets = np.zeros((len(labels), n_clusters))
    targets[known] = 1.0
    targets[known, labels[known]] = lead.odds
    targets /= n_clusters - 1.0 + lead.odds

    def cross_entropy(y_pred, affinity, return_grad, sample_weight=None):
        y_pred = np.maximum(y_pred, 1e-12)
        terms, slopes, total = targets * np.log(y_pred), targets / y_pred, len(known)
        if sample_weight is not None:
            terms *= sample_weight[:, None]
            slopes *= sample_weight[:, None]
            total = sample_weight[known].sum()
        value = float(terms.sum()) / total
        return value, (slopes / total).astype(y_pred.dtype, copy=False)

    followed = -np.inf
    for n_iterations in lead.stages:
        trainer.lead_towards(cross_entropy, n_iterations)
        y_pred = trainer.model._infer(trainer.task.X, retain=False)
        share = np.mean(np.argmax(y_pred, axis=1)[known] == labels[known])
        if share >= lead.near or share < followed + lead.gain:
            break
        followed = share
