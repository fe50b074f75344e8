"""The hook protocol of discriminative models, and their public methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if

from gemclus._common.collections import dask_room, is_dask
from gemclus._common.docstrings import fill_docstring
from gemclus._common.estimators import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from gemclus._common.parameters import store
from gemclus._common.pickling import VersionedStateMixin
from gemclus._common.threads import one_thread
from gemclus._common.typing import ArrayLike, Floats, Labels, Objective, Seed
from gemclus._common.validation import (
    MOST,
    check_bool,
    check_fitted,
    check_float,
    check_int,
    check_jobs,
    check_samples,
    check_seed,
    check_verbose,
)
from gemclus._common.weights import check_sample_weight
from gemclus._core.array_passes import largest
from gemclus._training import contracts
from gemclus._training.callbacks import CallbackSupportMixin, with_callbacks
from gemclus._training.centres import ClusterMeans
from gemclus._training.constrained import ConstrainedParametersMixin
from gemclus._training.monitor import Monitor, callback_context
from gemclus._training.restarts import train_best
from gemclus._training.start import check_init, start
from gemclus._training.state import finished, has_weights, in_training, underflows
from gemclus._training.task import default_affinity, make_task, weighed_samples
from gemclus._training.trainer import Trainer
from gemclus._training.training import create, train_once, warn_of
from gemclus.gemini._registry import make_gemini
from gemclus.optim import Optimiser
from gemclus.optim._registry import AUTO, Solver, make_optimiser, optimiser_class

# Probabilities that `predict` makes before it takes the largest of each row.
_PREDICTED_AT_ONCE = 1 << 15


def _takes_steps(model: DiscriminativeModel) -> bool:
    """Whether `partial_fit` makes sense: not for one minimisation of a whole."""
    if optimiser_class(model._chosen_solver(by_steps=True)).is_full_batch():
        raise AttributeError(
            "partial_fit takes steps on parts of the data: solver must be 'adam', "
            f"'sgd' or another that takes steps, got {model.solver!r}"
        )
    return True


@fill_docstring(solver="adam", init="random")
class DiscriminativeModel(
    ConstrainedParametersMixin,
    VersionedStateMixin,
    ClusterMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
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

    See Also
    --------
    gemclus.linear.LinearModel, gemclus.mlp.MLPModel : Models ready for use.
    gemclus.gemini.GEMINI : The objectives.
    gemclus.testing.check_model_gradients : Checks the hooks of a model.

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

    A model whose rows are independent may say so, by ``rows_are_independent = True``
    in the class that defines its hooks: `_infer` treats each row by itself,
    `_compute_grads` gives sums over rows (penalties belong in `_smooth_penalty`), and
    no parameter has an entry for each sample. Its trainings on large data then go by
    blocks of rows, on as many threads as `n_jobs` says, and through files larger than
    memory.

    Parameters that a derived constructor does not take, such as `tol` or
    `n_init`, may be set as attributes of the class: ``tol = 1e-4``. Models of the
    package have ``solver="auto"`` and ``init="k-means++"`` by default; a derived
    one has what its own constructor takes, else ``init="random"``.

    What `_infer` keeps for back-propagation belongs in ``self._retained``: it
    is dropped at the end of `fit`, and never pickled.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.special import softmax
    >>> from gemclus import DiscriminativeModel
    >>> class WithoutBiases(DiscriminativeModel):
    ...     def _init_params(self, random_state, X=None):
    ...         self.W_ = random_state.normal(size=(X.shape[1], self.n_clusters))
    ...     def _get_weights(self):
    ...         return [self.W_]
    ...     def _infer(self, X, retain=True):
    ...         return softmax(X @ self.W_, axis=1)
    ...     def _compute_grads(self, X, y_pred, gradient):
    ...         mean = (gradient * y_pred).sum(axis=1, keepdims=True)
    ...         return [-X.T @ (y_pred * (gradient - mean))]
    >>> X = np.array([[-1.0, 0.0], [-0.8, 0.2], [0.8, 0.2], [1.0, 0.0]])
    >>> model = WithoutBiases(n_clusters=2, learning_rate=0.1, random_state=0)
    >>> labels = model.fit_predict(X)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    n_clusters: int
    max_iter: int
    learning_rate: float
    solver: Solver
    verbose: bool
    random_state: Seed

    labels_: Labels
    cluster_centers_: Floats
    n_clusters_: int
    n_iter_: int
    objective_curve_: Floats
    objective_curves_: list[Floats]
    converged_: bool
    optimiser_: Optimiser
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    # For derived models whose constructors do not know these parameters.
    gemini: str | Objective | None = "mmd_ova"
    batch_size: int | None = None
    tol: float | None = None
    n_iter_no_change: int = 10
    n_init: int = 1
    init: str | ArrayLike = "random"
    warm_start: bool = False
    n_jobs: int | None = None

    # Whether `_infer` and `_compute_grads` take CSR matrices.
    _accepts_sparse = False

    # Whether `_infer` and `_compute_grads` treat every row by itself and add up, with
    # no penalty among the gradients, and no parameter has a shape that depends on
    # the number of samples.
    rows_are_independent = False

    # Whether `_infer` takes any rows of the data by themselves, so that labels
    # can be predicted by blocks. Derived models need not promise it.
    _infers_by_rows = False
    # Whether `_enter_batch` needs an affinity, to know the samples of a batch,
    # even if the objective has none.
    _needs_indices = False
    # Parameters that `_infer` reads, by `_of_fit`: predictions are those of the values
    # of the last training, which it keeps under these names and an underscore.
    _predicts_with: tuple[str, ...] = ()
    # What `tol=None` is with full-batch solvers, if not the usual.
    _full_batch_tol: float | None = None
    # Whether `_shrink` follows each step of the optimiser.
    _takes_proximal_steps = False

    def __init__(
        self,
        n_clusters: int = 3,
        gemini: str | Objective | None = "mmd_ova",
        max_iter: int = 1000,
        learning_rate: float = 1e-3,
        solver: Solver = "adam",
        batch_size: int | None = None,
        verbose: bool = False,
        random_state: Seed = None,
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = "random",
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())

    # Hooks

    def _init_params(self, random_state: np.random.RandomState, X: Any = None) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define _init_params")

    def _get_weights(self) -> list[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define _get_weights")

    def _infer(self, X: Any, retain: bool = True) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _infer")

    def _compute_grads(self, X: Any, y_pred: Any, gradient: Any) -> list[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define _compute_grads")

    def get_gemini(self) -> Any:
        """Return the objective that `fit` maximises.

        Returns
        -------
        gemini : GEMINI
            The instance given as `gemini`, or a new one for its name.
        """
        return make_gemini(self.gemini)

    def _batchify(
        self, X: Any, affinity_matrix: Any = None, random_state: Seed = None
    ) -> Iterator[tuple[Any, Any]]:
        n_samples = X.shape[0]
        if self.batch_size is None or self.batch_size >= n_samples:
            # The order of the samples is kept: nothing depends on it, and
            # solvers may start from where the last epoch left them.
            yield X, affinity_matrix
            return
        order = check_seed(random_state).permutation(n_samples)
        for first in range(0, n_samples, self.batch_size):
            batch = order[first : first + self.batch_size]
            affinity = None if affinity_matrix is None else affinity_matrix.take(batch)
            yield X[batch], affinity

    def _update_weights(self, weights: list[Any], gradients: list[Any]) -> None:
        self.optimiser_.update_params(weights, gradients)

    def _enter_batch(self, X: Any, affinity: Any) -> None:
        """Called before the hooks of a step, with what `_batchify` yielded.

        Models that keep something for each training sample find out here which
        samples these are: ``affinity.indices``.
        """

    def _smooth_penalty(self, X: Any, gradients: list[Any] | None = None) -> float:
        """Smooth penalty on the weights, at a batch; adds its gradient to `gradients`.

        The training maximises the objective minus it.
        """
        return 0.0

    def _penalty_weight(self) -> float:
        """Weight of `_proximal_penalty` in a fit."""
        return 0.0

    def _proximal_penalty(self) -> float:
        """Penalty that is not smooth: the training applies it by `_shrink`."""
        return 0.0

    def _shrink(self, step: float) -> None:
        """Apply the proximal operator of `step` times `_proximal_penalty`, in place."""

    def _first_layers(self) -> list[tuple[Any, Any]]:
        """The weights and the biases, of `_get_weights`, of layers of the features."""
        return []

    def _prox(self, step: float, alpha: float) -> None:
        """Apply the operator of `step` times `_penalties`, for full-batch solvers.

        The penalty may need another one beside it for an optimum worth finding, which
        is no part of published runs and their `_shrink`.
        """
        self._shrink(step * alpha)

    def _penalties(self, alpha: float) -> float:
        """The penalty times `alpha`, and what full-batch solvers need beside it."""
        return alpha * self._proximal_penalty() if alpha else 0.0

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._accepts_sparse
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # Public methods

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train the model.

        Parameters
        ----------
        X : array-like of shape (N, D)
            The samples. float32 and float64 are kept. A dask array or frame trains
            on the workers of the active `distributed.Client`, or block by block here
            without one, and is never made whole; see `gemclus.dask`.
        y : array-like of shape (N, N), default=None
            The kernel or the distances, if the objective is of the kind
            ``"precomputed"``; ignored otherwise.
        sample_weight : array-like of shape (N,), default=None
            Weights of the samples: not negative, not all zero. A sample of weight 0
            counts as removed, one of weight 2 as given twice, and a common factor
            changes nothing. None is 1 each.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not what they should be, or a hook
            breaks its contract. The model is then what it was before.
        TrainingInterrupted
            After Ctrl-C, with the model: its weights are those reached by then.
        """
        if is_dask(X):
            dask_room().fit(self, X, y, sample_weight)
        else:
            self._fit(X, y, sample_weight)
        return self

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        alpha: float | None = None,
        follow: Callable[..., None] | None = None,
    ) -> None:
        """Train; then let ``follow(twin, task, random_state)`` train further.

        `alpha` is the weight of the proximal penalty, if not the model's own.
        """
        self._check_parameters()
        goes_on = self._goes_on()
        if goes_on:
            self._check_clusters_stay()
        with in_training(self, goes_on) as twin:
            everything = twin._check_samples(X, reset=not goes_on)
            X, sample_weight, weights = weighed_samples(
                twin, everything, y, sample_weight
            )
            if X.shape[0] < self.n_clusters:
                raise ValueError(
                    f"n_samples={X.shape[0]} must be at least n_clusters="
                    f"{self.n_clusters}"
                )
            twin._begin_fit(X)
            if not goes_on:
                for name in ("optimiser_", "_stream"):
                    vars(twin).pop(name, None)
            random_state = check_seed(self.random_state)
            task = make_task(twin, X, y, sample_weight)
            if alpha is not None:
                task.alpha = alpha
            with (
                callback_context(self, twin, X) as task.context,
                finished(twin, lambda: twin._finish_fit(everything, weights)),
            ):
                if self.n_init > 1 and not goes_on:
                    outcome = train_best(twin, task, random_state)
                else:
                    outcome = train_once(twin, task, random_state, goes_on)
                if follow is not None:
                    follow(twin, task, random_state)
            warn_of(outcome.complaint, twin)

    @available_if(_takes_steps)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one pass over some samples, from where the model stands.

        The first call creates the parameters, from its samples as `init` says;
        later ones go on with the same optimiser, unless `solver` is another by
        now, whatever the data they are given: a stream, or one array over and
        over.

        Parameters
        ----------
        X : array-like of shape (n, D)
            The samples, taken in batches of `batch_size`.
        y : array-like of shape (n, n), default=None
            Their kernel or distances, if the objective needs them precomputed.
        sample_weight : array-like of shape (n,), default=None
            Their weights, as in `fit`.

        Returns
        -------
        self : object
            The model; `labels_` are those of `X`.
        """
        self._check_parameters()
        started = has_weights(self)
        if started:
            self._check_clusters_stay()
        with in_training(self, goes_on=started) as twin:
            everything = twin._check_samples(X, reset=not started)
            X, sample_weight, weights = weighed_samples(
                twin, everything, y, sample_weight
            )
            twin._begin_fit(X)
            task = make_task(twin, X, y, sample_weight)
            if not started or not hasattr(twin, "_stream"):
                twin._stream = check_seed(self.random_state)
            trainer = Trainer(twin, task, twin._stream)
            if not started:
                create(twin, X, twin._stream, by_steps=True)
                start(trainer, twin.init, twin._stream)
            elif type(twin.optimiser_) is not optimiser_class(
                twin._chosen_solver(by_steps=True)
            ):
                twin.optimiser_ = twin._make_optimiser(by_steps=True)
            with finished(twin, lambda: twin._finish_fit(everything, weights)):
                monitor = Monitor(None, twin.n_iter_no_change)
                trainer.run(1, monitor)
                twin.n_iter_ += len(monitor.curve)
                twin.objective_curve_ = np.append(twin.objective_curve_, monitor.curve)
                twin.objective_curves_ = [twin.objective_curve_]
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Labels:
        """Train the model and return the cluster of each sample.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        labels : ndarray of shape (N,)
            `labels_`.
        """
        return self.fit(X, y, sample_weight).labels_

    def predict_proba(self, X: Any) -> Floats:
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
        check_fitted(self, "optimiser_")
        if is_dask(X):
            return dask_room().predict_proba(self, X)
        return self._predictions(self._check_samples(X, reset=False))

    def predict(self, X: Any) -> Labels:
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
        check_fitted(self, "optimiser_")
        if is_dask(X):
            return dask_room().predict(self, X)
        return self._most_probable(self._check_samples(X, reset=False))

    def transform(self, X: Any) -> Floats:
        """Probability of each cluster, as features for a step that follows.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples, new ones or not.

        Returns
        -------
        features : ndarray of shape (n, K)
            As `predict_proba`; a frame after ``set_output(transform="pandas")``.
        """
        return self.predict_proba(X)

    @property
    def _n_features_out(self) -> int:
        """Number of columns of `transform`, for `get_feature_names_out`."""
        return self._fitted_clusters()

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The objective on some samples.

        Parameters
        ----------
        X : array-like of shape (n, D)
            Samples.
        y : array-like of shape (n, n), default=None
            Their kernel or distances, if the objective needs them precomputed.
        sample_weight : array-like of shape (n,), default=None
            Their weights, as in `fit`.

        Returns
        -------
        value : float
            The GEMINI alone, without penalties and constraints; larger is better. It
            grows with the number of clusters, and cannot be compared between
            objectives, kernels or metrics: numbers of clusters are compared by
            `gemclus.selection.KSelector`.
        """
        check_fitted(self, "optimiser_")
        if is_dask(X):
            return dask_room().score(self, X, y, sample_weight)
        X = self._check_samples(X, reset=False)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X.shape[0])
        with underflows():
            task = make_task(self, X, y, sample_weight, constrained=False)
            affinity = self._whole_affinity(task.affinity)
            return task.gemini_value(self._predictions(X), affinity)

    # Checks

    def _check_parameters(self) -> None:
        """Refuse constructor arguments of the wrong type or range."""
        check_int("n_clusters", self.n_clusters, 1)
        check_int("max_iter", self.max_iter, 1)
        check_float("learning_rate", self.learning_rate, 0.0, strict=True)
        optimiser = optimiser_class(self._chosen_solver())
        if self.batch_size is not None:
            check_int("batch_size", self.batch_size, 1)
        if self.tol is not None:
            check_float("tol", self.tol, 0.0)
        check_int("n_iter_no_change", self.n_iter_no_change, 1)
        check_int("n_init", self.n_init, 1, MOST)
        check_jobs("n_jobs", self.n_jobs)
        check_verbose("verbose", self.verbose)
        check_init(self.init)
        check_bool("warm_start", self.warm_start)
        if optimiser.is_full_batch():
            self._check_full_batch_applies()

    def _check_clusters_stay(self) -> None:
        """Weights of another number of clusters are no start."""
        trained = self._fitted_clusters()
        if trained != self.n_clusters:
            raise ValueError(
                f"A training with n_clusters={trained} cannot go on with n_clusters="
                f"{self.n_clusters}: fit the model anew, with warm_start=False"
            )

    def _check_full_batch_applies(self) -> None:
        """Full-batch optimisers minimise one smooth function of all the weights."""
        if self.batch_size is not None:
            raise ValueError(
                f"solver={self.solver!r} uses all samples at once: batch_size must be "
                f"None, got {self.batch_size}"
            )
        for hook in self._hooks_of_steps():
            raise ValueError(
                f"solver={self.solver!r} does not apply to {type(self).__name__}, "
                f"which defines its own {hook}: use 'adam' or 'sgd'"
            )

    def _check_samples(self, X: Any, reset: bool) -> Any:
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

    def _goes_on(self) -> bool:
        """Whether `fit` starts from the weights of the last one."""
        return bool(self.warm_start) and has_weights(self)

    def _fitted_clusters(self) -> int:
        """Number of clusters of the weights; that of the next fit if there are none."""
        return int(getattr(self, "_trained_clusters", self.n_clusters))

    def _hooks_of_steps(self) -> list[str]:
        """The overridden hooks that only methods which take steps would call."""
        return [
            hook
            for hook in ("_batchify", "_update_weights")
            if getattr(type(self), hook) is not getattr(DiscriminativeModel, hook)
        ]

    def _is_auto(self) -> bool:
        return isinstance(self.solver, str) and self.solver == AUTO

    def _chosen_solver(self, by_steps: bool = False) -> Solver:
        """`solver`, or what ``"auto"`` stands for: in steps if it must be so."""
        if not self._is_auto():
            return self.solver
        if by_steps or self.batch_size is not None:
            return "adam"
        return self._full_batch_solver() or "adam"

    def _full_batch_solver(self) -> Solver | None:
        """Meaning of ``"auto"`` without batches; None if that takes steps."""
        return None if self._hooks_of_steps() else "lbfgs"

    def _make_optimiser(self, by_steps: bool = False) -> Optimiser:
        return make_optimiser(self._chosen_solver(by_steps), self.learning_rate)

    def _make_affinity(self, gemini: Any, X: Any, y: Any) -> Any:
        """Affinity of the samples for `gemini`, from which batches are cut."""
        return default_affinity(self, gemini, X, y)

    def _whole_affinity(self, affinity: Any) -> Any:
        """Affinity of all samples that `evaluate` gets, at these weights."""
        return affinity

    def _of_fit(self, name: str) -> Any:
        """A parameter of `_predicts_with` as the last training, or one to come, has it.

        Exporters, which need a fitted model, read the attribute.
        """
        return vars(self).get(f"{name}_", getattr(self, name))

    def _begin_fit(self, X: Any) -> None:
        """Set what depends on the training data and not on the weights."""
        for name in self._predicts_with:
            value = getattr(self, name)
            # The user may go on changing a dict of arguments.
            kept = dict(value) if isinstance(value, dict) else value
            setattr(self, f"{name}_", kept)

    def _finish_fit(self, X: Any, sample_weight: Any = None) -> None:
        """Set what depends on the trained weights and the training data."""
        means = ClusterMeans(self.n_clusters, X.shape[1])
        self.labels_ = self._most_probable(X, means, sample_weight)
        self.cluster_centers_ = means.value()
        self.n_clusters_ = len(np.unique(self.labels_))
        self.__dict__.pop("_retained", None)

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.pop("_retained", None)
        if is_dask(state.get("labels_")):
            # Lazy ones would take the data along.
            del state["labels_"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Fitted models from before these were kept have them as parameters."""
        if "optimiser_" in state:
            kept = {f"{name}_": state[name] for name in self._predicts_with}
            state = {**kept, **state}
        super().__setstate__(state)

    def _predictions(self, X: Any) -> Any:
        """`_infer` without keeping anything, checked."""
        with underflows():
            y_pred = self._infer(X, retain=False)
        return contracts.check_inferred(y_pred, X.shape[0], self._fitted_clusters())

    def _most_probable(
        self, X: Any, means: ClusterMeans | None = None, sample_weight: Any = None
    ) -> Labels:
        """Labels of the rows of `X`, by blocks whose predictions stay in the cache.

        Adds the rows to `means`, with their weights.
        """
        step = max(1, _PREDICTED_AT_ONCE // self._fitted_clusters())
        if X.shape[0] <= step or not self._infers_by_rows:
            P = np.ascontiguousarray(self._predictions(X))
            if means is not None:
                means.add(X, P, sample_weight)
            return largest(P)
        labels = np.empty(X.shape[0], dtype=np.intp)
        # Waking threads takes longer than the products of a part.
        with one_thread("blas"):
            for first in range(0, X.shape[0], step):
                part = slice(first, first + step)
                weights = None if sample_weight is None else sample_weight[part]
                labels[part] = self._most_probable(X[part], means, weights)
        return labels
