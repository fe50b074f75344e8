"""Kernels and distances between samples, from a name, a callable or a matrix.

Everything that turns data into an affinity is here: which names exist, which
kernels have an exact factor (and so never make an N x N array), which metrics
are known to satisfy the triangle inequality, and what is refused.

An *affinity object* stands for an (N, N) matrix ``A`` without being one. It
supports ``A.shape``, ``A[idx][:, idx]``, ``A[np.ix_(idx, idx)]`` and
``np.asarray(A)``; `take` restricts it to a batch of samples.
"""

from abc import ABC, abstractmethod
from functools import cached_property
from math import comb, factorial

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances, pairwise_kernels
from sklearn.metrics.pairwise import distance_metrics, kernel_metrics
from sklearn.preprocessing import PolynomialFeatures, normalize

from gemclus._validation import check_square_matrix, check_symmetric_matrix

# Names whose distance satisfies the triangle inequality: the transport solver
# may then use one potential instead of two.
TRUE_METRICS = frozenset(
    {"euclidean", "l2", "l1", "manhattan", "cityblock", "haversine"}
)
# SciPy's C loops take exact differences; the expanded square of other
# implementations puts duplicates at 6e-5 instead of 0.
_EXACT_METRICS = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "l1": "cityblock",
    "manhattan": "cityblock",
    "cityblock": "cityblock",
}


class Affinity(ABC):
    """An (N, N) matrix between samples, whatever it is inside.

    Attributes
    ----------
    indices : ndarray of shape (n,) or None
        Positions of the samples in the data that the fit was given; None
        stands for all of them in their order.
    """

    indices = None
    ndim = 2

    @property
    @abstractmethod
    def shape(self):
        """(N, N)."""

    @abstractmethod
    def block(self, rows, columns):
        """The entries of `rows` x `columns` (index arrays) as an ndarray."""

    @abstractmethod
    def _restrict(self, indices):
        """The affinity of the samples `indices` alone."""

    def take(self, indices):
        """The affinity of the samples `indices`, in that order."""
        batch = self._restrict(indices)
        batch.indices = indices if self.indices is None else self.indices[indices]
        return batch

    def __len__(self):
        return self.shape[0]

    def __array__(self, dtype=None, copy=None):
        everything = np.arange(len(self))
        return np.asarray(self.block(everything, everything), dtype=dtype)

    def __getitem__(self, key):
        if not isinstance(key, tuple):
            return AffinityRows(self, _positions(key, len(self)))
        rows, columns = key
        if columns is Ellipsis:  # as cross-validations index
            return AffinityRows(self, _positions(rows, len(self)))
        if isinstance(rows, slice) or isinstance(columns, slice):
            rows = _positions(rows, len(self))
            columns = _positions(columns, len(self))
            return self._select(rows, columns)
        rows, columns = np.asarray(rows), np.asarray(columns)
        if rows.ndim == 2 and columns.ndim == 2 and rows.shape[1] == 1:
            return self._select(rows.ravel(), columns.ravel())
        # NumPy's pairing of two index arrays: entries, not a block.
        rows, columns = np.broadcast_arrays(rows, columns)
        first, i = np.unique(rows % len(self), return_inverse=True)
        second, j = np.unique(columns % len(self), return_inverse=True)
        return self.block(first, second)[i.reshape(rows.shape), j.reshape(rows.shape)]

    def _select(self, rows, columns):
        if np.array_equal(rows, columns):
            return self.take(rows)
        return self.block(rows, columns)


class AffinityRows:
    """Some rows of an affinity, waiting for their columns.

    ``A[idx]`` is one, and ``A[idx][:, idx]`` is the affinity of a batch. It is
    also what cross-validation hands to an estimator as the ``y`` of a fold:
    then the columns of the same samples are meant.
    """

    ndim = 2

    def __init__(self, parent, rows):
        self.parent = parent
        self.rows = rows

    @property
    def shape(self):
        return len(self.rows), self.parent.shape[1]

    def __len__(self):
        return len(self.rows)

    def square(self):
        """The affinity between the samples of these rows."""
        return self.parent.take(self.rows)

    def __array__(self, dtype=None, copy=None):
        columns = np.arange(self.parent.shape[1])
        return np.asarray(self.parent.block(self.rows, columns), dtype=dtype)

    def __getitem__(self, key):
        if isinstance(key, tuple) and key[1] is Ellipsis:
            key = key[0]
        if isinstance(key, tuple):
            rows = self.rows[_positions(key[0], len(self))]
            columns = _positions(key[1], self.parent.shape[1])
            return self.parent._select(rows, columns)
        return AffinityRows(self.parent, self.rows[_positions(key, len(self))])


class MatrixAffinity(Affinity):
    """An affinity that is a plain matrix inside: a kernel, or a user's own."""

    def __init__(self, array):
        self.array = np.asarray(array)

    @property
    def shape(self):
        return self.array.shape

    def block(self, rows, columns):
        return self.array[np.ix_(rows, columns)]

    def _restrict(self, indices):
        return type(self)(self.block(indices, indices))

    def __array__(self, dtype=None, copy=None):
        if copy is None:  # which NumPy 1 does not know
            return np.asarray(self.array, dtype=dtype)
        return np.array(self.array, dtype=dtype, copy=copy)


class DenseKernel(MatrixAffinity):
    """A kernel as an (N, N) array."""


class Distances(MatrixAffinity):
    """Distances as an (N, N) float64 array.

    Parameters
    ----------
    array : ndarray of shape (N, N)
        The distances: finite and not negative.
    is_metric : bool, default=False
        Whether they are known to be symmetric, zero on the diagonal and to
        satisfy the triangle inequality.
    """

    def __init__(self, array, is_metric=False):
        super().__init__(array)
        self.is_metric = is_metric

    def _restrict(self, indices):
        return Distances(self.block(indices, indices), self.is_metric)


class FactoredKernel(Affinity):
    """A kernel known by a factor: ``kappa = Z Z.T`` with ``Z`` of shape (N, r).

    Parameters
    ----------
    factor : ndarray or CSR matrix of shape (N, r)
        The features whose inner products are the kernel.
    """

    def __init__(self, factor):
        self.factor = factor

    @property
    def shape(self):
        return self.factor.shape[0], self.factor.shape[0]

    def block(self, rows, columns):
        product = self.factor[rows] @ self.factor[columns].T
        return product if isinstance(product, np.ndarray) else product.toarray()

    @cached_property
    def means(self):
        """Means of the columns of the factor, in float64; an offset costs no digits."""
        Z = self.factor
        if not isinstance(Z, np.ndarray):
            return np.asarray(Z.mean(axis=0), dtype=np.float64).ravel()
        first = Z[0].astype(np.float64)
        total = np.zeros(Z.shape[1])
        for start in range(0, len(Z), 4096):
            total += (Z[start : start + 4096] - first).sum(axis=0)
        return first + total / len(Z)

    def _restrict(self, indices):
        return FactoredKernel(self.factor[indices])


class SampleIndices(Affinity):
    """The positions of samples alone, with no value between them.

    It stands in for the affinity of objectives that have none, where a model
    needs to know which samples a batch holds.

    Parameters
    ----------
    n_samples : int
        Number of samples.
    """

    def __init__(self, n_samples):
        self._n_samples = n_samples

    @property
    def shape(self):
        return self._n_samples, self._n_samples

    def block(self, rows, columns):
        raise TypeError(
            "the objective has no affinity: SampleIndices only says which samples "
            "a batch holds, it has no values"
        )

    def _restrict(self, indices):
        return SampleIndices(len(indices))


class LazyAffinity(Affinity):
    """An affinity computed for each batch from its samples, never in whole.

    Parameters
    ----------
    X : ndarray of shape (N, D)
        The samples.
    compute : callable
        ``compute(X_batch)`` gives the affinity object of a batch.
    pairwise : callable
        ``pairwise(X_rows, X_columns)`` gives an ndarray of entries.
    """

    def __init__(self, X, compute, pairwise):
        self.X = X
        self.dtype = X.dtype
        self._compute = compute
        self._pairwise = pairwise

    @property
    def shape(self):
        return self.X.shape[0], self.X.shape[0]

    def block(self, rows, columns):
        return self._pairwise(self.X[rows], self.X[columns])

    def _restrict(self, indices):
        return self._compute(self.X[indices])

    def __matmul__(self, other):
        """Product with an (N, K) array, by blocks of rows: O(N) memory beside it."""
        everything = np.arange(len(self))
        out = np.empty((len(self), other.shape[1]), dtype=other.dtype)
        step = max(1, 2**22 // len(self))
        for start in range(0, len(self), step):
            rows = everything[start : start + step]
            out[rows] = self.block(rows, everything) @ other
        return out

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._compute(self.X), dtype=dtype)


def kernel_affinity(X, kernel, kernel_params=None, y=None, minibatch=False):
    """The kernel that training uses: the cheapest object that stands for it.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (N, D)
        Validated samples.
    kernel : str or callable
        A name of `sklearn.metrics.pairwise.kernel_metrics`, ``"precomputed"``,
        or a callable ``k(X)`` returning an (N, N) array.
    kernel_params : dict, default=None
        Arguments of the named kernel.
    y : array-like of shape (N, N), default=None
        The matrix, when `kernel` is ``"precomputed"``.
    minibatch : bool, default=False
        Whether batches are taken from it: then a named kernel without a factor
        is computed for each batch, and never in whole.

    Returns
    -------
    affinity : FactoredKernel, DenseKernel or LazyAffinity
    """
    factor = factor_kernel(X, kernel, kernel_params)
    if factor is not None:
        return FactoredKernel(factor)
    if minibatch and isinstance(kernel, str) and kernel != "precomputed":
        return LazyAffinity(
            X,
            lambda batch: DenseKernel(kernel_matrix(batch, kernel, kernel_params)),
            lambda rows, columns: _named_kernel(rows, columns, kernel, kernel_params),
        )
    if isinstance(kernel, str) and kernel == "precomputed":
        y = y.square() if isinstance(y, AffinityRows) else y
        if isinstance(y, FactoredKernel) and len(y) == X.shape[0]:
            return FactoredKernel(y.factor)
    return DenseKernel(kernel_matrix(X, kernel, kernel_params, y))


def kernel_matrix(X, kernel, kernel_params=None, y=None):
    """The kernel as a plain (N, N) array; parameters as in `kernel_affinity`.

    Raises
    ------
    ValueError
        If the name is unknown, a precomputed matrix is missing, or the matrix
        has the wrong shape, is not symmetric or not finite.
    TypeError
        If `kernel` is neither a name nor a callable.
    """
    if kernel == "precomputed":
        return _precomputed_matrix(y, X.shape[0], "kernel")
    if callable(kernel):
        matrix = check_square_matrix(kernel(X), X.shape[0], "the result of kernel(X)")
        check_symmetric_matrix(matrix, "the result of kernel(X)")
        return matrix
    return check_square_matrix(
        _named_kernel(X, X, kernel, kernel_params),
        X.shape[0],
        f"the {kernel!r} kernel of X",
    )


def cross_kernel(X, Y, kernel, kernel_params=None, argument="kernel"):
    """A kernel between two sets of samples.

    Parameters
    ----------
    X, Y : ndarray or CSR matrix of shape (n, D) and (m, D)
        Validated samples.
    kernel : str or callable
        A name of `sklearn.metrics.pairwise.kernel_metrics`, or a callable
        ``k(X, Y)`` returning an (n, m) array.
    kernel_params : dict, default=None
        Arguments of the named kernel.
    argument : str, default="kernel"
        What error messages call `kernel`.

    Returns
    -------
    kappa : ndarray of shape (n, m)
        Finite, with the dtype that the kernel gives.
    """
    if callable(kernel):
        kappa = np.asarray(kernel(X, Y))
        name = f"the result of {argument}(X, Y)"
    elif kernel == "precomputed":
        raise ValueError(
            f"{argument} must be a callable or a name of kernel_metrics(): new samples "
            "need kernel values with the training samples, got 'precomputed'"
        )
    else:
        kappa = _named_kernel(X, Y, kernel, kernel_params, argument)
        name = f"the {kernel!r} kernel of X"
    if kappa.shape != (X.shape[0], Y.shape[0]) or kappa.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} must be an array of numbers of shape {(X.shape[0], Y.shape[0])}, "
            f"got {kappa.dtype} of shape {kappa.shape}"
        )
    if not np.isfinite(kappa).all():
        raise ValueError(f"{name} must be finite, it contains NaN or infinity")
    return kappa


def distance_affinity(X, metric, metric_params=None, y=None, minibatch=False):
    """The distances that training uses.

    Parameters
    ----------
    X : ndarray of shape (N, D)
        Validated samples.
    metric : str or callable
        A name of `sklearn.metrics.pairwise.distance_metrics`,
        ``"precomputed"``, or a callable ``d(X)`` returning an (N, N) array.
    metric_params : dict, default=None
        Arguments of the named metric.
    y : array-like of shape (N, N), default=None
        The matrix, when `metric` is ``"precomputed"``.
    minibatch : bool, default=False
        Whether batches are taken from it: a named metric is then computed for
        each batch, and never in whole.

    Returns
    -------
    affinity : Distances or LazyAffinity
    """
    # Parameters may make another distance of it (euclidean with squared=True), and
    # other implementations than the exact ones round too much to promise anything.
    is_metric = (
        isinstance(metric, str)
        and metric in TRUE_METRICS
        and not metric_params
        and isinstance(X, np.ndarray)
    )
    if minibatch and isinstance(metric, str) and metric != "precomputed":
        return LazyAffinity(
            X,
            lambda batch: Distances(
                distance_matrix(batch, metric, metric_params), is_metric
            ),
            lambda rows, columns: _named_distance(rows, columns, metric, metric_params),
        )
    if isinstance(metric, str) and metric == "precomputed":
        y = y.square() if isinstance(y, AffinityRows) else y
        is_metric = isinstance(y, Distances) and y.is_metric
    return Distances(distance_matrix(X, metric, metric_params, y), is_metric)


def distance_matrix(X, metric, metric_params=None, y=None):
    """The distances as a plain (N, N) float64 array; see `distance_affinity`.

    Raises
    ------
    ValueError
        If the name is unknown, a precomputed matrix is missing, or the matrix
        has the wrong shape or entries that are negative or not finite.
    TypeError
        If `metric` is neither a name nor a callable.
    """
    if metric == "precomputed":
        matrix, name = _precomputed_matrix(y, X.shape[0], "metric"), "y"
    elif callable(metric):
        name = "the result of metric(X)"
        matrix = check_square_matrix(metric(X), X.shape[0], name)
    else:
        name = f"the {metric!r} distances of X"
        matrix = _named_distance(X, X, metric, metric_params)
        matrix = check_square_matrix(matrix, X.shape[0], name)
    matrix = np.ascontiguousarray(matrix, dtype=np.float64)
    if matrix.min() < 0:
        raise ValueError(
            f"{name} must hold distances, which are not negative, "
            f"got a minimum of {matrix.min():g}"
        )
    return matrix


def factor_kernel(X, kernel, kernel_params=None):
    """An exact factor ``Z`` of a named kernel, ``kappa = Z Z.T``, or None.

    linear: ``X`` itself; cosine: its rows at unit length; polynomial of an
    integer degree, ``gamma > 0`` and ``coef0 >= 0``: the weighted monomials,
    when there are at most N / 4 of them.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (N, D)
        Validated samples.
    kernel, kernel_params
        As in `kernel_affinity`.

    Returns
    -------
    factor : ndarray or CSR matrix of shape (N, r), or None
        None when the kernel has no such factor.
    """
    if not isinstance(kernel, str):
        return None
    params = kernel_params or {}
    if kernel == "linear" and not params:
        return X
    if kernel == "cosine" and not params:
        return normalize(X)
    if kernel in ("poly", "polynomial") and isinstance(X, np.ndarray):
        return _polynomial_factor(X, **params)
    return None


def _polynomial_factor(X, degree=3, gamma=None, coef0=1.0):
    n_samples, n_features = X.shape
    gamma = 1.0 / n_features if gamma is None else gamma
    if not isinstance(degree, int) or degree < 1 or gamma <= 0 or coef0 < 0:
        return None
    if comb(n_features + degree, degree) > n_samples // 4:
        return None
    monomials = PolynomialFeatures(degree)
    Z = monomials.fit_transform(X)
    # (gamma <x, y> + c)^d by the multinomial theorem.
    powers = monomials.powers_
    for column, exponents in enumerate(powers):
        total = int(exponents.sum())
        ways = factorial(degree) / factorial(degree - total)
        for exponent in exponents:
            ways /= factorial(int(exponent))
        Z[:, column] *= np.sqrt(ways * gamma**total * coef0 ** (degree - total))
    return Z


def _named_kernel(X, Y, kernel, kernel_params, argument="kernel"):
    _check_name(argument, kernel, kernel_metrics())
    if kernel == "rbf" and isinstance(X, np.ndarray):
        # It depends on differences alone, but is computed from expanded squares,
        # which lose them when the data have an offset.
        offset, same = Y.mean(axis=0), X is Y
        X = X - offset
        Y = X if same else Y - offset
    try:
        return pairwise_kernels(X, Y, metric=kernel, **(kernel_params or {}))
    except TypeError as error:
        raise ValueError(
            f"{argument}_params {kernel_params!r} do not fit the {kernel!r} kernel: "
            f"{error}"
        ) from error


def _named_distance(X, Y, metric, metric_params):
    _check_name("metric", metric, distance_metrics())
    if metric in _EXACT_METRICS and not metric_params and isinstance(X, np.ndarray):
        return cdist(X, Y, _EXACT_METRICS[metric])
    try:
        return pairwise_distances(X, Y, metric=metric, **(metric_params or {}))
    except TypeError as error:
        raise ValueError(
            f"metric_params {metric_params!r} do not fit the {metric!r} metric: {error}"
        ) from error


def _check_name(argument, name, known):
    choices = sorted(set(known) | {"precomputed"})
    if not isinstance(name, str):
        raise TypeError(
            f"{argument} must be a callable or one of {choices}, got {name!r} "
            f"({type(name).__name__})"
        )
    if name not in choices:
        raise ValueError(
            f"{argument} must be a callable or one of {choices}, got {name!r}"
        )


def _precomputed_matrix(y, n_samples, argument):
    if y is None:
        raise ValueError(
            f"{argument}='precomputed' needs the matrix of shape "
            f"({n_samples}, {n_samples}) as y, got None"
        )
    if isinstance(y, AffinityRows):
        y = y.square()
    shape = getattr(y, "shape", ())
    if len(shape) == 2 and shape[0] == n_samples < shape[1]:
        kind = "DenseKernel" if argument == "kernel" else "Distances"
        raise ValueError(
            f"{argument}='precomputed' needs y of shape ({n_samples}, {n_samples}), got "
            f"{shape}: if these are the rows of a cross-validation, give it "
            f"y=gemclus.affinity.{kind}(matrix), whose rows know their columns"
        )
    matrix = check_square_matrix(y, n_samples, "y")
    check_symmetric_matrix(matrix, "y")
    return matrix


def _positions(key, size):
    """Non-negative positions from a slice, a mask or integers."""
    if isinstance(key, slice):
        return np.arange(size)[key]
    key = np.asarray(key)
    if key.dtype == bool:
        if key.shape != (size,):
            raise IndexError(f"a mask over {size} samples has shape {key.shape}")
        return np.flatnonzero(key)
    return np.arange(size)[np.atleast_1d(key)]
