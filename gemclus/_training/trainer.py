"""The only training loop: epochs of forward, objective, backward, update."""

from contextlib import nullcontext
from math import isfinite
from operator import is_

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from gemclus._common.threads import thread_pools
from gemclus._common.warnings import warn
from gemclus._core import buffers
from gemclus._core.array_passes import copy_all, first_not_finite
from gemclus._training import contracts
from gemclus._training.start import INTERRUPTED
from gemclus.affinity import MatrixAffinity
from gemclus.optim import LBFGS

SCALE_REMEDY = (
    "Standardise the features (for instance with "
    "sklearn.preprocessing.StandardScaler) or lower learning_rate."
)

# Multiplications of a product from which BLAS threads may pay.
_LARGE_PRODUCT = 1e8


class Diverged(ArithmeticError):
    """A number of a training step is not finite."""


class Trainer:
    """Trains a model through its hooks.

    Parameters
    ----------
    model : DiscriminativeModel
        The model: its hooks are called, and its weights updated in place.
    X : ndarray of shape (N, D)
        Validated samples.
    affinity : Affinity or None
        What `_batchify` receives.
    evaluate : callable
        ``evaluate(y_pred, affinity, return_grad)``, the objective of this fit.
    random_state : RandomState
        Source of the order of the batches.

    Attributes
    ----------
    fresh : bool
        Whether the parameters are new: then the first predictions tell whether
        the scale of the data suits them, and a warning says if it does not.
    interrupted : bool
        Whether Ctrl-C ended the last run.
    """

    def __init__(self, model, X, affinity, evaluate, random_state):
        self.model = model
        # Whatever an earlier training that failed has left.
        model.__dict__.pop("_retained", None)
        self.X = X
        self.affinity = affinity
        self.evaluate = evaluate
        self.random_state = random_state
        self.fresh = False
        self.n_epochs = 0
        self.interrupted = False
        # The arrays that the last step has checked.
        self._weights = None
        # The last weights known to give finite predictions.
        self._backup = None

    def run(self, max_iter, after_epoch):
        """Train until `max_iter` epochs, or until ``after_epoch(n, objective)``.

        Parameters
        ----------
        max_iter : int
            Largest number of epochs; of iterations for L-BFGS.
        after_epoch : callable
            Called with the number of epochs run and the objective of the last
            one; a true result ends the training.

        Returns
        -------
        n_epochs : int
            Number of epochs run.

        Raises
        ------
        ValueError
            If the first step is not finite already. Later divergence, and
            Ctrl-C at any time, are warnings: the last usable weights are kept.
        """
        self.n_epochs = 0
        self.interrupted = False

        def ended(objective):
            self.n_epochs += 1
            return after_epoch(self.n_epochs, objective)

        try:
            with buffers.reuse():
                self._train(max_iter, ended)
        except Diverged as error:
            self._restore(error)
        except KeyboardInterrupt:
            self.interrupted = True
            warn(
                f"{INTERRUPTED} after {self.n_epochs} epochs; the model is "
                "kept as it was then.",
                ConvergenceWarning,
            )
        return self.n_epochs

    def _train(self, max_iter, ended):
        with self._few_blas_threads():
            self._iterate(max_iter, ended)

    def _few_blas_threads(self):
        """One BLAS thread where products are too small to gain from several.

        Waking threads for them costs several times the product itself.
        """
        n_samples, n_features = self.X.shape
        dense = isinstance(self.affinity, MatrixAffinity)
        widest = max(n_features, n_samples if dense else 0)
        if n_samples * widest * self.model.n_clusters > _LARGE_PRODUCT:
            return nullcontext()
        return thread_pools().limit(limits=1, user_api="blas")

    def _iterate(self, max_iter, ended):
        if isinstance(self.model.optimiser_, LBFGS):
            self._minimise(self.evaluate, self.affinity, max_iter, ended)
            return
        while self.n_epochs < max_iter and not ended(self.epoch()):
            pass

    def lead_towards(self, objective, max_iter):
        """Maximise another objective of the predictions by L-BFGS.

        Parameters
        ----------
        objective : callable
            ``objective(y_pred, affinity, return_grad)``, called with None for
            the affinity.
        max_iter : int
            Largest number of iterations.
        """
        with buffers.reuse(), self._few_blas_threads():
            self._minimise(objective, None, max_iter, lambda value: False)
        self._backup = None

    def _minimise(self, evaluate, affinity, max_iter, after_iteration):
        """L-BFGS on the whole of the data, through the hooks."""
        weights = contracts.check_weights(self.model._get_weights())

        def minus_objective():
            value, gradients = self._objective(self.X, affinity, evaluate, weights)
            return -value, gradients

        def accept(value):
            self._save(weights)
            return after_iteration(-value)

        LBFGS().minimise(minus_objective, weights, max_iter, accept)

    def epoch(self):
        """Run one epoch and return the mean objective of its batches."""
        total = count = 0
        batches = self.model._batchify(self.X, self.affinity, self.random_state)
        for batch in batches:
            X, affinity = contracts.check_batch(batch)
            total += self._step(X, affinity) * X.shape[0]
            count += X.shape[0]
        if not count:
            raise contracts.ContractError("_batchify must yield at least one batch")
        return total / count

    def _step(self, X, affinity):
        """Train on one batch and return its objective before the update."""
        weights = self.model._get_weights()
        if not self._are_known(weights):
            self._weights = list(contracts.check_weights(weights))
        objective, gradients = self._objective(X, affinity, self.evaluate, weights)
        self._save(weights)
        self.model._update_weights(weights, gradients)
        return objective

    def _are_known(self, weights):
        """Whether these are the very arrays that the last step has checked."""
        known = self._weights
        return (
            known is not None
            and len(weights) == len(known)
            and all(map(is_, weights, known))
        )

    def _objective(self, X, affinity, evaluate, weights):
        """Penalised objective of a batch, and the gradients of minus it."""
        self.model._enter_batch(X, affinity)
        y_pred = self._infer(X)
        if self.fresh:
            _warn_of_scale(y_pred)
            self.fresh = False
        value, gradient = evaluate(y_pred, affinity, return_grad=True)
        gradients = self.model._compute_grads(X, y_pred, gradient)
        contracts.check_gradients(gradients, weights)
        objective = float(value) - self.model._penalty(X)
        if not isfinite(objective):
            raise Diverged(f"the objective is {objective}")
        position = first_not_finite(gradients)
        if position >= 0:
            raise Diverged(f"entry {position} of _compute_grads is not finite")
        return objective, gradients

    def _infer(self, X):
        try:
            return contracts.check_inferred(
                self.model._infer(X, retain=True), X.shape[0], self.model.n_clusters
            )
        except contracts.ContractError as error:
            # Once a step has succeeded, the hook is sound and the weights are not.
            if self._backup is None:
                raise
            raise Diverged(str(error)) from error

    def _save(self, weights):
        if self._backup is None:
            self._backup = [weight.copy() for weight in weights]
        else:
            copy_all(weights, self._backup)

    def _restore(self, error):
        """End a training that diverged: at the last usable weights, if any."""
        message = f"Training diverged after {self.n_epochs} epochs: {error}."
        if self._backup is None:
            raise ValueError(f"{message} {SCALE_REMEDY}") from error
        for weight, kept in zip(self.model._get_weights(), self._backup, strict=True):
            weight[...] = kept
        warn(
            f"{message} The last usable weights are kept. {SCALE_REMEDY}",
            ConvergenceWarning,
        )


def _warn_of_scale(y_pred):
    """Warn if first predictions are saturated or do not depend on the samples."""
    if min(y_pred.shape) < 2:
        return
    if y_pred.max(axis=1).mean() > 0.99:
        problem = "saturated, as with features of large scale or offset"
    elif np.ptp(y_pred, axis=0).max() < 1e-3:
        problem = "nearly the same for all samples, as with features of small scale"
    else:
        return
    warn(
        f"The first predictions are {problem}: training may not get anywhere. "
        "Standardise the features, for instance with "
        "sklearn.preprocessing.StandardScaler.",
    )
