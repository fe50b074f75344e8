"""The hook protocol of discriminative models, and their public methods."""

from functools import partial

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from gemclus._common.docstrings import fill_docstring
from gemclus._common.pickling import VersionedStateMixin
from gemclus._common.validation import (
    check_bool,
    check_choice,
    check_float,
    check_int,
    check_jobs,
    check_samples,
    check_verbose,
)
from gemclus._common.warnings import warn
from gemclus._core.array_passes import largest
from gemclus._training import contracts
from gemclus._training.callbacks import CallbackSupportMixin, with_callbacks
from gemclus._training.monitor import Monitor, callback_context, watching
from gemclus._training.restarts import fit_best
from gemclus._training.start import check_init, start, warn_of_early_end
from gemclus._training.trainer import Trainer
from gemclus.affinity import Affinity, MatrixAffinity, SampleIndices
from gemclus.gemini._base import training_affinity, training_evaluator
from gemclus.gemini._registry import make_gemini
from gemclus.optim import OPTIMISERS

# Probabilities that `predict` makes before it takes the largest of each row.
_PREDICTED_AT_ONCE = 1 << 15

# Relative improvement that ends L-BFGS when `tol` is None.
_LBFGS_TOL = 1e-8


def _takes_steps(model):
    """Whether `partial_fit` makes sense: not for one minimisation of a whole."""
    if model.solver == "lbfgs":
        raise AttributeError(
            "partial_fit takes steps on parts of the data: solver must be 'adam' or "
            "'sgd', got 'lbfgs'"
        )
    return True


@fill_docstring
class DiscriminativeModel(
    VersionedStateMixin, ClusterMixin, CallbackSupportMixin, BaseEstimator
):
    """Base class of clusterings ``p(y | x)`` trained by maximising a GEMINI.

    Derive from it to train a model of one's own: define `_init_params`,
    `_get_weights`, `_infer` and `_compute_grads`. Everything else (training,
    prediction, scores) is inherited.

    Parameters
    ----------
    %(base)s
    %(gemini)s
    %(batch_size)s
    %(end)s
    %(training)s

    Attributes
    ----------
    %(fitted)s

    Notes
    -----
    The hooks, in the order of a training step:

    ``_init_params(random_state, X=None)``
        Create the parameters. Called once, before training.
    ``get_gemini()``
        Return the objective.
    ``_batchify(X, affinity_matrix=None, random_state=None)``
        Yield the pairs ``(X_batch, affinity_batch)`` of an epoch. The affinity
        is None or supports ``A[idx][:, idx]``, ``A[np.ix_(idx, idx)]``,
        ``A.shape`` and ``np.asarray(A)``.
    ``_infer(X, retain=True)``
        Return probabilities of shape (n, K), rows summing to 1. With `retain`
        it may keep what `_compute_grads` needs.
    ``_compute_grads(X, y_pred, gradient)``
        Given the derivative of the objective with respect to ``y_pred``,
        return the gradients of **minus** the objective, one for each entry of
        `_get_weights`.
    ``_get_weights()``
        Return the list of parameter arrays, which are updated in place.
    ``_update_weights(weights, gradients)``
        Take one optimiser step.

    A hook that breaks its contract raises an error that names it.

    Parameters that a derived constructor does not take, such as `tol` or
    `n_init`, may be set as attributes of the class: ``tol = 1e-4``.

    What `_infer` keeps for back-propagation belongs in ``self._retained``: it
    is dropped at the end of `fit`, and never pickled.
    """

    # For derived models whose constructors do not know these parameters.
    tol = None
    n_iter_no_change = 10
    n_init = 1
    init = "random"
    warm_start = False
    n_jobs = None

    # Whether `_infer` and `_compute_grads` take CSR matrices.
    _accepts_sparse = False

    # Whether `_infer` takes any rows of the data by themselves, so that labels
    # can be predicted by blocks. Derived models need not promise it.
    _infers_by_rows = False
    # Whether `_enter_batch` needs an affinity, to know the samples of a batch,
    # even if the objective has none.
    _needs_indices = False
    # Set by add_mlcl_constraint: what the objective of `fit` has besides.
    _constraints = None

    def __init__(
        self,
        n_clusters=3,
        gemini="mmd_ova",
        max_iter=1000,
        learning_rate=1e-3,
        solver="adam",
        batch_size=None,
        verbose=False,
        random_state=None,
        *,
        tol=None,
        n_iter_no_change=10,
        n_init=1,
        init="random",
        warm_start=False,
        n_jobs=None,
    ):
        self.n_clusters = n_clusters
        self.gemini = gemini
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.solver = solver
        self.batch_size = batch_size
        self.verbose = verbose
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.n_init = n_init
        self.init = init
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    # Hooks

    def _init_params(self, random_state, X=None):
        raise NotImplementedError(f"{type(self).__name__} must define _init_params")

    def _get_weights(self):
        raise NotImplementedError(f"{type(self).__name__} must define _get_weights")

    def _infer(self, X, retain=True):
        raise NotImplementedError(f"{type(self).__name__} must define _infer")

    def _compute_grads(self, X, y_pred, gradient):
        raise NotImplementedError(f"{type(self).__name__} must define _compute_grads")

    def get_gemini(self):
        """Return the objective that `fit` maximises.

        Returns
        -------
        gemini : GEMINI
            The instance given as `gemini`, or a new one for its name.
        """
        return make_gemini(self.gemini)

    def _batchify(self, X, affinity_matrix=None, random_state=None):
        n_samples = X.shape[0]
        if self.batch_size is None or self.batch_size >= n_samples:
            # The order of the samples is kept: nothing depends on it, and
            # solvers may start from where the last epoch left them.
            yield X, affinity_matrix
            return
        order = check_random_state(random_state).permutation(n_samples)
        for first in range(0, n_samples, self.batch_size):
            batch = order[first : first + self.batch_size]
            affinity = None if affinity_matrix is None else affinity_matrix.take(batch)
            yield X[batch], affinity

    def _update_weights(self, weights, gradients):
        self.optimiser_.update_params(weights, gradients)

    def _enter_batch(self, X, affinity):
        """Called before the hooks of a step, with what `_batchify` yielded.

        Models that keep something for each training sample find out here which
        samples these are: ``affinity.indices``.
        """

    def _penalty(self, X):
        """Smooth penalty on the weights, whose gradient `_compute_grads` adds."""
        return 0.0

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._accepts_sparse
        return tags

    # Public methods

    @with_callbacks
    def fit(self, X, y=None):
        """Train the model.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples. float32 and float64 are kept.
        y : array-like of shape (N, N), default=None
            The kernel or the distances, if the objective is of the kind
            ``"precomputed"``; ignored otherwise.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not what they should be, or a hook
            breaks its contract.
        """
        self._check_parameters()
        X = self._check_samples(X, reset=not self._goes_on())
        if X.shape[0] < self.n_clusters:
            raise ValueError(
                f"n_samples={X.shape[0]} must be at least n_clusters={self.n_clusters}"
            )
        self._begin_fit(X)
        random_state = check_random_state(self.random_state)
        try:
            gemini, affinity = self._training_affinity(X, y)
        except KeyboardInterrupt:
            if not self._goes_on():
                self._create(X, random_state)
            warn_of_early_end()
            self._finish_fit(X)
            return self
        gemini = self._constrained(gemini, X, y)
        with callback_context(self, X) as context:
            several = self.n_init > 1 and not self._goes_on()
            train = partial(fit_best, self) if several else self._fit_once
            if not train(X, gemini, affinity, random_state, context):
                self._extend_fit(X, gemini, affinity)
            self._finish_fit(X)
        if self.__dict__.pop("_hit_limit", False):
            remedy = "increase max_iter or tol"
            if self.solver != "lbfgs":
                remedy = (
                    "increase max_iter, learning_rate or tol, or use solver='lbfgs'"
                )
            warn(
                f"{type(self).__name__} did not converge in max_iter={self.max_iter} "
                f"epochs: {remedy}.",
                ConvergenceWarning,
            )
        return self

    @available_if(_takes_steps)
    def partial_fit(self, X, y=None):
        """Train for one pass over some samples, from where the model stands.

        The first call creates the parameters; later ones go on with the same
        optimiser, whatever the data they are given: a stream, or one array
        over and over.

        Parameters
        ----------
        X : array-like of shape (n, D)
            The samples, taken in batches of `batch_size`.
        y : array-like of shape (n, n), default=None
            Their kernel or distances, if the objective needs them precomputed.

        Returns
        -------
        self : object
            The model; `labels_` are those of `X`.
        """
        self._check_parameters()
        started = hasattr(self, "optimiser_")
        X = self._check_samples(X, reset=not started)
        self._begin_fit(X)
        gemini, affinity = self._training_affinity(X, y)
        gemini = self._constrained(gemini, X, y)
        if not started or not hasattr(self, "_stream"):
            self._stream = check_random_state(self.random_state)
        evaluate = training_evaluator(gemini)
        trainer = Trainer(self, X, affinity, evaluate, self._stream)
        if not started:
            self._create(X, self._stream)
        monitor = Monitor(None, self.n_iter_no_change)
        self.n_iter_ += trainer.run(1, monitor)
        self.objective_curve_ = np.append(self.objective_curve_, monitor.curve)
        self._finish_fit(X)
        return self

    def fit_predict(self, X, y=None):
        """Train the model and return the cluster of each sample.

        Parameters
        ----------
        X, y
            As in `fit`.

        Returns
        -------
        labels : ndarray of shape (N,)
            `labels_`.
        """
        return self.fit(X, y).labels_

    def predict_proba(self, X):
        """Probability of each cluster.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        y_pred : ndarray of shape (n, K)
            ``p(y | x)``, rows summing to 1.
        """
        check_is_fitted(self)
        return self._predictions(self._check_samples(X, reset=False))

    def predict(self, X):
        """Most probable cluster of each sample.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        labels : ndarray of shape (n,)
            Clusters, from 0 to K - 1.
        """
        check_is_fitted(self)
        return self._most_probable(self._check_samples(X, reset=False))

    def score(self, X, y=None):
        """The objective on some samples.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples.
        y : array-like of shape (n, n), default=None
            Their kernel or distances, if the objective needs them precomputed.

        Returns
        -------
        value : float
            The GEMINI; larger is better.
        """
        check_is_fitted(self)
        X = self._check_samples(X, reset=False)
        gemini, affinity = self._training_affinity(X, y)
        return float(training_evaluator(gemini)(self._predictions(X), affinity))

    # Checks

    def _check_parameters(self):
        """Refuse constructor arguments of the wrong type or range."""
        check_int("n_clusters", self.n_clusters, 1)
        check_int("max_iter", self.max_iter, 1)
        check_float("learning_rate", self.learning_rate, 0.0, strict=True)
        check_choice("solver", self.solver, OPTIMISERS)
        if self.batch_size is not None:
            check_int("batch_size", self.batch_size, 1)
        if self.tol is not None:
            check_float("tol", self.tol, 0.0)
        check_int("n_iter_no_change", self.n_iter_no_change, 1)
        check_int("n_init", self.n_init, 1)
        check_jobs("n_jobs", self.n_jobs)
        check_verbose("verbose", self.verbose)
        check_init(self.init)
        check_bool("warm_start", self.warm_start)
        trained = getattr(self, "_trained_clusters", self.n_clusters)
        if self._goes_on() and trained != self.n_clusters:
            raise ValueError(
                f"A training with n_clusters={trained} cannot go on with n_clusters="
                f"{self.n_clusters}: set warm_start=False"
            )
        if self.solver == "lbfgs":
            self._check_lbfgs_applies()

    def _check_lbfgs_applies(self):
        """L-BFGS minimises one smooth function of all the weights."""
        if self.batch_size is not None:
            raise ValueError(
                "solver='lbfgs' uses all samples at once: batch_size must be None, got "
                f"{self.batch_size}"
            )
        for hook in ("_batchify", "_update_weights"):
            if getattr(type(self), hook) is not getattr(DiscriminativeModel, hook):
                raise ValueError(
                    f"solver='lbfgs' does not apply to {type(self).__name__}, which "
                    f"defines its own {hook}: use 'adam' or 'sgd'"
                )

    def _check_samples(self, X, reset):
        """`X` as an array of floats, checked against the fit unless `reset`."""
        return check_samples(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            order="C",
            accept_sparse="csr" if self._accepts_sparse else False,
        )

    # One training

    def _goes_on(self):
        """Whether `fit` starts from the weights of the last one."""
        return self.warm_start and hasattr(self, "optimiser_")

    def _training_affinity(self, X, y):
        """The objective and what `_batchify` receives as its affinity."""
        gemini = contracts.check_gemini(self.get_gemini())
        minibatch = self.batch_size is not None and self.batch_size < X.shape[0]
        affinity = training_affinity(gemini, X, y, minibatch)
        if affinity is None and (self._needs_indices or self._constraints is not None):
            affinity = SampleIndices(X.shape[0])
        if affinity is not None and not isinstance(affinity, Affinity):
            affinity = MatrixAffinity(np.asarray(affinity))
        return gemini, affinity

    def _constrained(self, gemini, X, y):
        """The objective of `fit`: `gemini`, and the constraints on its samples."""
        if self._constraints is None:
            return gemini
        return self._constraints.penalise(gemini, X.shape[0], y)

    def _create(self, X, random_state):
        """New parameters, and the state of a training that has not begun."""
        self._init_params(random_state, X)
        self.optimiser_ = OPTIMISERS[self.solver](self.learning_rate)
        self.n_iter_, self.objective_curve_ = 0, np.empty(0)
        self._trained_clusters = self.n_clusters

    def _fit_once(self, X, gemini, affinity, random_state, context=None):
        """Create the parameters and train them. Returns whether it was interrupted."""
        evaluate = training_evaluator(gemini)
        trainer = Trainer(self, X, affinity, evaluate, random_state)
        if self._goes_on():
            self.optimiser_ = OPTIMISERS[self.solver](self.learning_rate)
        else:
            self._create(X, random_state)
            trainer.fresh = True
            if not start(trainer, self.init, random_state):
                return True
        tol = _LBFGS_TOL if self.tol is None and self.solver == "lbfgs" else self.tol
        with watching(self, X, context) as reporters:
            monitor = Monitor(tol, self.n_iter_no_change, reporters)
            self.n_iter_ = trainer.run(self.max_iter, monitor)
        self.objective_curve_ = np.array(monitor.curve)
        limited = tol is not None and self.n_iter_ == self.max_iter
        self._hit_limit = limited and not monitor.converged
        return trainer.interrupted

    def _begin_fit(self, X):
        """Set what depends on the training data and not on the weights."""

    def _extend_fit(self, X, gemini, affinity):
        """Go on from the trained weights, unless Ctrl-C ended the training."""

    def _finish_fit(self, X):
        """Set what depends on the trained weights and the training data."""
        self.labels_ = self._most_probable(X)
        self.__dict__.pop("_retained", None)

    def __sklearn_clone__(self):
        cloned = super().__sklearn_clone__()
        if self._constraints is not None:
            cloned._constraints = self._constraints
        return cloned

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("_retained", None)
        return state

    def _predictions(self, X):
        """`_infer` without keeping anything, checked."""
        y_pred = self._infer(X, retain=False)
        return contracts.check_inferred(y_pred, X.shape[0], self.n_clusters)

    def _most_probable(self, X):
        """Labels of the rows of `X`, by blocks whose predictions stay in the cache."""
        step = max(1, _PREDICTED_AT_ONCE // self.n_clusters)
        if X.shape[0] <= step or not self._infers_by_rows:
            return largest(np.ascontiguousarray(self._predictions(X)))
        starts = range(0, X.shape[0], step)
        return np.concatenate([self._most_probable(X[i : i + step]) for i in starts])
