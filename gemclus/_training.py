"""The only training loop: epochs of forward, objective, backward, update."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from gemclus import _contracts

SCALE_REMEDY = (
    "Standardise the features (for instance with "
    "sklearn.preprocessing.StandardScaler) or lower learning_rate."
)


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
    """

    def __init__(self, model, X, affinity, evaluate, random_state):
        self.model = model
        self.X = X
        self.affinity = affinity
        self.evaluate = evaluate
        self.random_state = random_state
        # The last weights known to give finite predictions.
        self._backup = None

    def run(self, max_iter, after_epoch):
        """Run epochs until `max_iter`, or until ``after_epoch(n, objective)``.

        Parameters
        ----------
        max_iter : int
            Largest number of epochs.
        after_epoch : callable
            Called with the number of epochs run and the mean objective of the
            last one; a true result ends the training.

        Returns
        -------
        n_epochs : int
            Number of epochs run.

        Raises
        ------
        ValueError
            If the first step is not finite already. Later divergence and
            Ctrl-C are warnings: the last usable weights are kept.
        """
        n_epochs = 0
        try:
            while n_epochs < max_iter:
                objective = self.epoch()
                n_epochs += 1
                if after_epoch(n_epochs, objective):
                    break
        except Diverged as error:
            self._restore(n_epochs, error)
        except KeyboardInterrupt:
            if self._backup is None:
                raise
            warnings.warn(
                f"Training was interrupted after {n_epochs} epochs; the model is kept "
                "as it was then.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return n_epochs

    def epoch(self):
        """Run one epoch and return the mean objective of its batches."""
        total = count = 0
        batches = self.model._batchify(self.X, self.affinity, self.random_state)
        for batch in batches:
            X, affinity = _contracts.check_batch(batch)
            total += self._step(X, affinity) * X.shape[0]
            count += X.shape[0]
        if not count:
            raise _contracts.ContractError("_batchify must yield at least one batch")
        return total / count

    def _step(self, X, affinity):
        """Train on one batch and return its objective before the update."""
        model = self.model
        weights = _contracts.check_weights(model._get_weights())
        y_pred = self._infer(X)
        value, gradient = self.evaluate(y_pred, affinity, return_grad=True)
        gradients = model._compute_grads(X, y_pred, gradient)
        _contracts.check_gradients(gradients, weights)
        objective = value - model._penalty(X)
        if not np.isfinite(objective):
            raise Diverged(f"the objective is {objective}")
        for position, gradient in enumerate(gradients):
            if not np.isfinite(gradient.sum()):
                raise Diverged(f"entry {position} of _compute_grads is not finite")
        self._save(weights)
        model._update_weights(weights, gradients)
        return objective

    def _infer(self, X):
        try:
            return _contracts.check_inferred(
                self.model._infer(X, retain=True), X.shape[0], self.model.n_clusters
            )
        except _contracts.ContractError as error:
            # Once a step has succeeded, the hook is sound and the weights are not.
            if self._backup is None:
                raise
            raise Diverged(str(error)) from error

    def _save(self, weights):
        if self._backup is None:
            self._backup = [weight.copy() for weight in weights]
        else:
            for kept, weight in zip(self._backup, weights, strict=True):
                np.copyto(kept, weight)

    def _restore(self, n_epochs, error):
        """End a training that diverged: at the last usable weights, if any."""
        message = f"Training diverged after {n_epochs} epochs: {error}."
        if self._backup is None:
            raise ValueError(f"{message} {SCALE_REMEDY}") from error
        for weight, kept in zip(self.model._get_weights(), self._backup, strict=True):
            weight[...] = kept
        warnings.warn(
            f"{message} The last usable weights are kept. {SCALE_REMEDY}",
            ConvergenceWarning,
            stacklevel=4,
        )
