"""Regularised information maximisation, linear and with a kernel."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from scipy.sparse import issparse

from gemclus._common.docstrings import fill_docstring
from gemclus._common.parameters import KMEANS_START, store
from gemclus._common.typing import (
    ArrayLike,
    Floats,
    Kernel,
    Objective,
    Parameters,
    Seed,
)
from gemclus._common.validation import check_float
from gemclus._core import layers
from gemclus._training.feature_maps import feature_map_of
from gemclus.affinity import (
    FittedFeatureMap,
    KernelFactor,
    cross_kernel,
    is_feature_map,
    is_positive_kernel,
    pivoted_cholesky,
)
from gemclus.affinity._few_rows import kernel_of_few
from gemclus.linear._linear import LinearModel
from gemclus.optim._registry import Solver, optimiser_class

_OTHER_SAMPLES = (
    "KernelRIM has weights for the samples of its first fit: partial_fit, warm_start "
    "and _batchify must give it those samples"
)
# How much of a kernel, relative to its largest diagonal entry, its factor may leave
# out; weights of the pivots lose about the root of it to rounding.
_DOUBLE_TOL = 1e-10
_SINGLE_TOL = 1e-6
# Pivots of a factor at most: a training is O(N) times the square of their number.
_MOST_PIVOTS = 2000


@fill_docstring
class RIM(LinearModel):
    """Logistic regression trained by maximising a ridge-penalised information.

    It maximises ``MI - reg ||W||^2``, with ``MI`` the mutual information
    between samples and clusters and ``||W||^2`` the sum of the squared weights.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    reg : float, default=0.1
        Weight of the penalty.
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (D, K)
        Weights.
    b_ : ndarray of shape (1, K)
        Biases, which are not penalised.
    %(fitted)s

    See Also
    --------
    KernelRIM : The same on functions of a kernel.
    LinearModel : The same for any objective, without penalty.
    gemclus.gemini.MI : The objective.

    Notes
    -----
    `score` is the mutual information alone, `objective_curve_` has the
    penalty. A training step costs O(N D K).

    References
    ----------
    Krause, Perona and Gomes, "Discriminative clustering by regularized
    information maximization", NeurIPS 2010.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from gemclus.linear import RIM
    >>> X, _ = make_blobs(centers=3, cluster_std=0.5, n_samples=200, random_state=0)
    >>> round(RIM(n_clusters=3, reg=0.1, random_state=0).fit(X).score(X), 3)
    0.725
    >>> published = RIM(3, solver="adam", init="random", random_state=0)
    >>> round(published.fit(X).score(X), 6)
    0.448654
    """

    reg: float

    gemini: str | Objective | None = "mi"

    def __init__(
        self,
        n_clusters: int = 3,
        max_iter: int = 1000,
        learning_rate: float = 1e-3,
        solver: Solver = "auto",
        batch_size: int | None = None,
        verbose: bool = False,
        random_state: Seed = None,
        reg: float = 0.1,
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = KMEANS_START,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_float("reg", self.reg, 0.0)

    def _smooth_penalty(self, X: Any, gradients: list[Any] | None = None) -> float:
        if gradients is not None:
            gradients[0] += 2.0 * self.reg * self.W_
        return self.reg * float((self.W_**2).sum())


@fill_docstring
class KernelRIM(RIM):
    """Kernel logistic regression trained by maximising a penalised information.

    ``p(y | x) = softmax(kappa(x, X) W + b)`` with X the training samples. It
    maximises ``MI - reg tr(W' kappa W) / N``, with ``MI`` the mutual
    information between samples and clusters: the penalty is the mean over the
    training samples of the squared norm of the functions in the space of the
    kernel.

    Parameters
    ----------
    %(base)s
    %(batch_size)s
    %(end)s
    reg : float, default=0.1
        Weight of the penalty.
    base_kernel : str, callable or transformer, default="linear"
        A name of `sklearn.metrics.pairwise.kernel_metrics`, a callable
        ``k(X, Y)`` that returns an (n, m) array, or a feature map: a scikit-learn
        transformer ``phi``, for the kernel ``phi(X) phi(Y)'``.
    base_kernel_params : dict, default=None
        Arguments of the named kernel or the callable.
    %(training)s

    Attributes
    ----------
    W_ : ndarray of shape (N, K)
        Weights of the training samples.
    b_ : ndarray of shape (1, K)
        Biases, which are not penalised.
    input_data_ : ndarray or CSR matrix of shape (N, D)
        Copy of the training samples.
    base_kernel_, base_kernel_params_ : object
        `base_kernel` and its arguments in the last training, which predictions have.
    %(fitted)s

    See Also
    --------
    RIM : The same on the features themselves.
    gemclus.affinity.pivoted_cholesky : The factor of its kernel.
    gemclus.gemini.MI : The objective.

    Notes
    -----
    The division by N makes one `reg` serve all sample sizes: without it the
    default leaves a single cluster on two circles of 200 samples, which it
    separates with it (values from 1e-3 to 1 do). In a batch the penalty is the
    mean over its own samples of ``W_i' (kappa W)_i``, an unbiased estimate of
    the whole.

    Without batches the kernel is computed once, O(N^2 D), and kept during the
    training; a step then costs O(N^2 K). With batches of n samples only their
    rows are computed, at each step: O(n N (D + K)) time and O(n N) memory.

    With ``solver="auto"`` and a positive kernel by name, or a feature map, there is no
    such array: the training takes a pivoted Cholesky factor of rank r, O(N r^2) once
    and O(N r K) a step, and only r samples, the pivots, end with weights. The rank is
    that of the kernel to 1e-10 (1e-6 in float32), and at most 2000: of more samples,
    the functions of 2000 of them are searched, with their exact predictions and
    penalty. On 20 000 samples of ten features 500 pivots ended lower by 2e-4 of the
    objective, and 1000 by 7e-5.

    Weights belong to the training samples, so `partial_fit` and a warm start
    need samples of the first `fit`.

    References
    ----------
    Krause, Perona and Gomes, "Discriminative clustering by regularized
    information maximization", NeurIPS 2010.

    Examples
    --------
    >>> from sklearn.datasets import make_circles
    >>> from gemclus.linear import KernelRIM
    >>> X, y = make_circles(n_samples=200, noise=0.05, factor=0.1, random_state=0)
    >>> model = KernelRIM(n_clusters=2, base_kernel="rbf", random_state=0)
    >>> labels = model.fit_predict(2 * X)
    >>> bool((labels == y).all() or (labels == 1 - y).all())
    True
    """

    reg: float
    base_kernel: Kernel
    base_kernel_params: Parameters

    input_data_: Any
    # Of a `base_kernel` that is a transformer.
    feature_map_: Any
    base_kernel_: Kernel
    base_kernel_params_: Parameters

    _predicts_with = ("base_kernel", "base_kernel_params")
    _needs_indices = True
    rows_are_independent = False

    def __init__(
        self,
        n_clusters: int = 3,
        max_iter: int = 1000,
        learning_rate: float = 1e-3,
        solver: Solver = "auto",
        batch_size: int | None = None,
        verbose: bool = False,
        random_state: Seed = None,
        reg: float = 0.1,
        base_kernel: Kernel = "linear",
        base_kernel_params: Parameters = None,
        *,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        n_init: int = 1,
        init: str | ArrayLike = KMEANS_START,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        store(self, locals())

    def _init_params(self, random_state: np.random.RandomState, X: Any = None) -> None:
        self.input_data_ = X.copy()
        vars(self).pop("_input_features", None)
        vars(self).pop("_coordinates", None)
        n_samples = X.shape[0]
        shape = (n_samples, self.n_clusters)
        self.W_ = layers.uniform_init(random_state, n_samples, shape, X.dtype)
        shape = (1, self.n_clusters)
        self.b_: Floats = layers.uniform_init(random_state, n_samples, shape, X.dtype)

    @property
    def coef_(self) -> NoReturn:
        """Absent: the weights are those of training samples, not of features."""
        raise AttributeError("KernelRIM has no weights of features, and no coef_")

    @property
    def intercept_(self) -> NoReturn:
        """Absent, as `coef_` is."""
        raise AttributeError("KernelRIM has no weights of features, and no intercept_")

    def _make_affinity(self, gemini: Any, X: Any, y: Any) -> Any:
        kernel, params = self._kernel_of_fit()
        if is_feature_map(kernel):
            feature_map_of(self, kernel, params, X, "base_kernel")
        return super()._make_affinity(gemini, X, y)

    def _begin_fit(self, X: Any) -> None:
        super()._begin_fit(X)
        vars(self).pop("_coordinates", None)
        self._trains_on = _Trained(X) if self._knows_coordinates() else None

    def _finish_fit(self, X: Any, sample_weight: Any = None) -> None:
        self._leave_coordinates()
        super()._finish_fit(X, sample_weight)

    def _knows_coordinates(self) -> bool:
        """Whether the weights may be replaced by coordinates in a fit."""
        full_batch = optimiser_class(self._chosen_solver()).is_full_batch()
        own = all(
            getattr(type(self), hook) is getattr(KernelRIM, hook)
            for hook in ("_get_weights", "_infer", "_compute_grads", "_smooth_penalty",
                         "_kernel", "_enter_batch", "_init_params")
        )  # fmt: skip
        kernel, params = self._kernel_of_fit()
        positive = is_positive_kernel(kernel, params) or is_feature_map(kernel)
        return full_batch and own and positive

    def _in_coordinates(self) -> Any:
        """The `_Coordinates` of the training that is running; None if it has none."""
        trained = vars(self).get("_trains_on")
        if trained is None or not self.optimiser_.is_full_batch():
            return None
        if "_coordinates" not in vars(self):
            self._coordinates = _Coordinates(self, trained)
        return self._coordinates

    def _leave_coordinates(self) -> None:
        """Back to the weights of the samples, for good."""
        if vars(self).get("_coordinates") is not None:
            self._coordinates.write_weights(self)
        for name in ("_coordinates", "_trains_on"):
            vars(self).pop(name, None)

    def _get_weights(self) -> list[Any]:
        coordinates = self._in_coordinates()
        return [self.W_ if coordinates is None else coordinates.A, self.b_]

    def _enter_batch(self, X: Any, affinity: Any) -> None:
        if self._in_coordinates() is not None:
            return
        retained = getattr(self, "_retained", None)
        if retained is not None and retained.X is X:
            return
        rows = slice(None)
        if affinity is not None and affinity.indices is not None:
            rows = affinity.indices
        if not _same_samples(X, self.input_data_[rows]):
            raise ValueError(_OTHER_SAMPLES)
        self._retained = _KernelRows(X, rows, self._kernel(X))

    def _kernel_of_fit(self) -> tuple[Any, Any]:
        """`base_kernel` and `base_kernel_params` of the last training."""
        return self._of_fit("base_kernel"), self._of_fit("base_kernel_params")

    def _cross_kernel(self, X: Any, Y: Any) -> Any:
        """``kappa(X, Y)``."""
        if hasattr(self, "feature_map_"):
            feature_map = FittedFeatureMap(self.feature_map_, "base_kernel")
            kappa = feature_map.factor(X) @ feature_map.factor(Y).T
            return kappa.toarray() if issparse(kappa) else kappa
        return cross_kernel(X, Y, *self._kernel_of_fit(), "base_kernel")

    def _kernel(self, X: Any) -> Any:
        """``kappa(X, input_data_)``."""
        if hasattr(self, "feature_map_"):
            kappa = self._mapped_kernel(X)
        else:
            kappa = self._cross_kernel(X, self.input_data_)
        return kappa.astype(self.W_.dtype, copy=False)

    def _mapped_kernel(self, X: Any) -> Any:
        """The same for a feature map, whose features of the training data are kept."""
        feature_map = FittedFeatureMap(self.feature_map_, "base_kernel")
        if "_input_features" not in vars(self):
            self._input_features = feature_map.factor(self.input_data_)
        kappa = feature_map.factor(X) @ self._input_features.T
        return kappa.toarray() if issparse(kappa) else kappa

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        for name in ("_input_features", "_coordinates"):
            state.pop(name, None)
        return state

    def _infer(self, X: Any, retain: bool = True) -> Any:
        coordinates = self._in_coordinates()
        if coordinates is not None:
            if X is coordinates.X:
                return layers.softmax_affine(coordinates.L, coordinates.A, self.b_)
            coordinates.write_weights(self)
        retained = getattr(self, "_retained", None) if retain else None
        if retained is not None and retained.X is X:
            return super()._infer(retained.kappa, retain)
        kappa = None if retain else self._kernel_of_few(X)
        return super()._infer(self._kernel(X) if kappa is None else kappa, retain)

    def _kernel_of_few(self, X):
        """`_kernel` of a few new samples, in a tenth of its time; else None."""
        if hasattr(self, "feature_map_"):
            return None
        kappa = kernel_of_few(X, self.input_data_, *self._kernel_of_fit())
        return None if kappa is None else kappa.astype(self.W_.dtype, copy=False)

    def _training_rows(self, X: Any) -> Any:
        """The kernel of a batch, and which training samples it is made of."""
        self._enter_batch(X, None)
        return self._retained.kappa, self._retained.rows

    def _smooth_penalty(self, X: Any, gradients: list[Any] | None = None) -> float:
        coordinates = self._in_coordinates()
        if coordinates is not None:
            scale = self.reg / X.shape[0]
            if gradients is not None:
                gradients[0] += 2.0 * scale * coordinates.A
            return scale * float((coordinates.A**2).sum())
        # The mean of W_i' (kappa W)_i over the samples i of the batch; all of W
        # occurs on both sides.
        kappa, rows = self._training_rows(X)
        scale, smoothed = self.reg / len(kappa), kappa @ self.W_
        if gradients is not None:
            gradients[0] += kappa.T @ (scale * self.W_[rows])
            np.add.at(gradients[0], rows, scale * smoothed)
        return scale * float((self.W_[rows] * smoothed).sum())

    def _compute_grads(self, X: Any, y_pred: Any, gradient: Any) -> list[Any]:
        T = layers.softmax_backward(y_pred, gradient)
        coordinates = self._in_coordinates()
        if coordinates is not None:
            coordinates.write_weights(self)
            return list(layers.affine_backward(coordinates.L, T))
        kappa, _ = self._training_rows(X)
        return list(layers.affine_backward(kappa, T))


class _Trained:
    """The samples of a fit and the factor of their kernel, once it is made.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (N, D)
        The samples. All trainings of the fit share the factor.
    """

    def __init__(self, X: Any) -> None:
        self.X = X
        self._factor: KernelFactor | None = None

    def factor(self, model: Any) -> Any:
        """The `KernelFactor` of the samples."""
        if self._factor is None:
            X = self.X

            def kernel(rows: Any, columns: Any) -> Any:
                block = model._cross_kernel(X[rows], X[columns])
                return block.astype(np.float64, copy=False)

            tol = _SINGLE_TOL if X.dtype == np.float32 else _DOUBLE_TOL
            self._factor = pivoted_cholesky(kernel, X.shape[0], tol, _MOST_PIVOTS)
        return self._factor


class _Coordinates:
    """The weights of a training, in the metric of their own penalty.

    With ``kappa = L L'`` the model is ``softmax(L A + b)``, and its penalty
    ``reg ||A||^2 / N``: quasi-Newton methods need some tens of iterations for it,
    and a thousand in the weights of the samples, where the metric is that of
    kappa. In the end weights of the pivots of L have the same functions.

    Parameters
    ----------
    model : KernelRIM
        Its weights are where the training starts.
    trained : _Trained
        What it trains on.

    Attributes
    ----------
    L : ndarray of shape (N, r)
        The factor, in the dtype of the samples.
    A : ndarray of shape (r, K)
        The coordinates.
    """

    def __init__(self, model: Any, trained: _Trained) -> None:
        if not _same_samples(trained.X, model.input_data_):
            raise ValueError(_OTHER_SAMPLES)
        self.X = trained.X
        self._factor = trained.factor(model)
        dtype = model.W_.dtype
        self.L = self._factor.L.astype(dtype, copy=False)
        self.A = self._factor.coordinates(model.W_).astype(dtype, copy=False)

    def write_weights(self, model: Any) -> None:
        """Give the model the weights of the function of these coordinates."""
        model.W_[...] = 0.0
        model.W_[self._factor.pivots] = self._factor.weights(self.A)


class _KernelRows:
    """State of a training step: the batch, its samples and their kernel.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, D)
        The batch.
    rows : slice or ndarray of shape (n,)
        Positions of its samples in the training data.
    kappa : ndarray of shape (n, N)
        Their kernel with all training samples.
    """

    def __init__(self, X, rows, kappa):
        self.X = X
        self.rows = rows
        self.kappa = kappa


def _same_samples(X, known):
    """Whether two sets of samples are equal, entry by entry."""
    if X.shape != known.shape:
        return False
    return (X != known).nnz == 0 if issparse(X) else bool((X == known).all())
