"""Objects that stand for an (N, N) matrix of kernel values or distances."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from gemclus._common.typing import ArrayLike, Floats, Integers


class Affinity(ABC):
    """An (N, N) matrix between samples, whatever it is inside.

    Attributes
    ----------
    indices : ndarray of shape (n,) or None
        Positions of the samples in the data that the fit was given; None
        stands for all of them in their order.

    See Also
    --------
    kernel_affinity : Makes one of a kernel.
    distance_affinity : Makes one of a metric.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import Affinity, Distances
    >>> A = Distances([[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]])
    >>> isinstance(A, Affinity), A.shape
    (True, (3, 3))
    >>> batch = A.take(np.array([2, 0]))
    >>> np.asarray(batch), batch.indices
    (array([[0., 2.],
           [2., 0.]]), array([2, 0]))
    """

    indices: Integers | None = None
    ndim: int = 2

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(N, N)."""

    @abstractmethod
    def block(self, rows: Integers, columns: Integers) -> NDArray[Any]:
        """The entries of `rows` x `columns` (index arrays) as an ndarray."""

    @abstractmethod
    def _restrict(self, indices: Integers) -> Affinity:
        """The affinity of the samples `indices` alone."""

    def take(self, indices: Integers) -> Affinity:
        """The affinity of the samples `indices`, in that order."""
        batch = self._restrict(indices)
        batch.indices = indices if self.indices is None else self.indices[indices]
        return batch

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        everything = np.arange(len(self))
        return np.asarray(self.block(everything, everything), dtype=dtype)

    def __getitem__(self, key: Any) -> Any:
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

    def _select(self, rows: Integers, columns: Integers) -> Any:
        if np.array_equal(rows, columns):
            return self.take(rows)
        return self.block(rows, columns)


class AffinityRows:
    """Some rows of an affinity, waiting for their columns.

    ``A[idx]`` is one, and ``A[idx][:, idx]`` is the affinity of a batch. It is
    also what cross-validation hands to an estimator as the ``y`` of a fold:
    then the columns of the same samples are meant.

    Parameters
    ----------
    parent : Affinity
        The whole affinity.
    rows : ndarray of shape (n,)
        Positions of the rows in it.

    See Also
    --------
    Affinity : The whole of it.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import DenseKernel
    >>> rows = DenseKernel(np.eye(3))[[0, 2]]
    >>> rows.shape, np.asarray(rows.square()).shape
    ((2, 3), (2, 2))
    """

    parent: Affinity
    rows: Integers
    ndim: int = 2

    def __init__(self, parent: Affinity, rows: Integers) -> None:
        self.parent = parent
        self.rows = rows

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), self.parent.shape[1]

    def __len__(self) -> int:
        return len(self.rows)

    def square(self) -> Affinity:
        """The affinity between the samples of these rows."""
        return self.parent.take(self.rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        columns = np.arange(self.parent.shape[1])
        return np.asarray(self.parent.block(self.rows, columns), dtype=dtype)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and key[1] is Ellipsis:
            key = key[0]
        if isinstance(key, tuple):
            rows = self.rows[_positions(key[0], len(self))]
            columns = _positions(key[1], self.parent.shape[1])
            return self.parent._select(rows, columns)
        return AffinityRows(self.parent, self.rows[_positions(key, len(self))])


class MatrixAffinity(Affinity):
    """An affinity that is a plain matrix inside: a kernel, or a user's own.

    Parameters
    ----------
    array : array-like of shape (N, N)
        The matrix, which is not copied.

    See Also
    --------
    DenseKernel : A matrix of kernel values.
    Distances : A matrix of distances.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import MatrixAffinity
    >>> A = MatrixAffinity(np.arange(9.0).reshape(3, 3))
    >>> A.block([0, 1], [2])
    array([[2.],
           [5.]])
    """

    array: NDArray[Any]

    def __init__(self, array: ArrayLike) -> None:
        self.array = np.asarray(array)

    @property
    def shape(self) -> tuple[int, int]:
        return self.array.shape

    def block(self, rows: Integers, columns: Integers) -> NDArray[Any]:
        return self.array[np.ix_(rows, columns)]

    def _restrict(self, indices: Integers) -> MatrixAffinity:
        return type(self)(self.block(indices, indices))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is None:  # which NumPy 1 does not know
            return np.asarray(self.array, dtype=dtype)
        return np.array(self.array, dtype=dtype, copy=copy)


class DenseKernel(MatrixAffinity):
    """A kernel as an (N, N) array.

    Parameters
    ----------
    array : array-like of shape (N, N)
        The kernel values: finite and symmetric.

    See Also
    --------
    FactoredKernel : A kernel without an N x N array.
    SparseKernel : A kernel of few entries.
    Distances : The same for distances.

    Examples
    --------
    A precomputed kernel whose rows a cross-validation may take:

    >>> import numpy as np
    >>> from sklearn.model_selection import cross_val_score
    >>> from gemclus.affinity import DenseKernel
    >>> from gemclus.linear import LinearMMD
    >>> X = np.array([[0.0], [0.1], [5.0], [5.1], [0.2], [5.2]])
    >>> model = LinearMMD(2, kernel="precomputed", random_state=0)
    >>> cross_val_score(model, X, DenseKernel(X @ X.T), cv=2).shape
    (2,)
    """


class SparseKernel(Affinity):
    """A kernel of which few entries are not zero, such as an adjacency matrix.

    Parameters
    ----------
    array : sparse array or matrix of shape (N, N)
        The kernel values: finite and symmetric. It is kept as a CSR array.

    See Also
    --------
    DenseKernel : The same with all entries.
    sklearn.neighbors.kneighbors_graph : An adjacency matrix, to be made symmetric.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import eye_array
    >>> from gemclus.affinity import SparseKernel
    >>> A = SparseKernel(eye_array(1000))
    >>> A.shape, A.array.nnz, (A @ np.ones((1000, 2))).shape
    ((1000, 1000), 1000, (1000, 2))
    """

    array: csr_array

    def __init__(self, array: Any) -> None:
        if not issparse(array):
            raise TypeError(
                f"array must be a sparse array or matrix, got {type(array).__name__}"
            )
        self.array = csr_array(array)

    @property
    def shape(self) -> tuple[int, int]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the entries."""
        return self.array.dtype

    def block(self, rows: Integers, columns: Integers) -> NDArray[Any]:
        return self.array[rows][:, columns].toarray()

    def _restrict(self, indices: Integers) -> SparseKernel:
        return SparseKernel(self.array[indices][:, indices])

    def __matmul__(self, other: NDArray[Any]) -> NDArray[Any]:
        return self.array @ other


class Distances(MatrixAffinity):
    """Distances as an (N, N) float64 array.

    Parameters
    ----------
    array : ndarray of shape (N, N)
        The distances: finite and not negative.
    is_metric : bool, default=False
        Whether they are known to be symmetric, zero on the diagonal and to
        satisfy the triangle inequality.
    along_data : bool, default=False
        Whether they are lengths of paths along the data, as geodesic distances:
        cells of such distances may have any shape, which a training that starts
        from them has to follow.

    See Also
    --------
    distance_affinity : Computes them of samples.
    DenseKernel : The same for kernels.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import Distances
    >>> from gemclus.nonparametric import CategoricalWasserstein
    >>> X = np.array([[0.0], [1.0], [5.0], [6.0]])
    >>> distances = Distances(abs(X - X.T), is_metric=True)
    >>> model = CategoricalWasserstein(2, metric="precomputed", random_state=0)
    >>> labels = model.fit_predict(X, distances)
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """

    is_metric: bool
    along_data: bool

    def __init__(
        self, array: ArrayLike, is_metric: bool = False, along_data: bool = False
    ) -> None:
        super().__init__(array)
        self.is_metric = is_metric
        self.along_data = along_data

    def _restrict(self, indices: Integers) -> Distances:
        block = self.block(indices, indices)
        return Distances(block, self.is_metric, self.along_data)


class FactoredKernel(Affinity):
    """A kernel known by a factor: ``kappa = Z Z.T`` with ``Z`` of shape (N, r).

    Parameters
    ----------
    factor : ndarray or CSR matrix of shape (N, r)
        The features whose inner products are the kernel.
    centre : ndarray of shape (r,), default=None
        What the sums of an objective take rows relative to, one for all blocks of
        an array; None is the means of the columns, zeros for a CSR matrix.

    See Also
    --------
    factor_kernel : Factor of a named kernel.
    DenseKernel : A kernel as an array.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import FactoredKernel
    >>> A = FactoredKernel(np.array([[1.0], [2.0], [3.0]]))
    >>> A.shape, A.means
    ((3, 3), array([2.]))
    >>> np.asarray(A)[0]
    array([1., 2., 3.])
    """

    factor: Any

    def __init__(self, factor: Any, centre: Floats | None = None) -> None:
        if not issparse(factor):
            factor = np.asarray(factor)
        if factor.ndim != 2:
            raise ValueError(
                f"factor must have shape (N, r), a row for each sample, got "
                f"{factor.shape}"
            )
        if factor.dtype.kind not in "fiub":
            raise TypeError(f"factor must hold real numbers, got {factor.dtype}")
        if factor.dtype not in (np.float64, np.float32):
            factor = factor.astype(np.float64)
        self.factor = factor if isinstance(factor, np.ndarray) else factor.tocsr()
        if centre is not None:
            self.centre = centre

    @property
    def shape(self) -> tuple[int, int]:
        return self.factor.shape[0], self.factor.shape[0]

    @cached_property
    def centre(self) -> Floats:
        """Point that sums take rows relative to: zeros for sparse ones."""
        if isinstance(self.factor, np.ndarray):
            return self.means
        return np.zeros(self.factor.shape[1])

    def block(self, rows: Integers, columns: Integers) -> NDArray[Any]:
        product = self.factor[rows] @ self.factor[columns].T
        return product if isinstance(product, np.ndarray) else product.toarray()

    @cached_property
    def means(self) -> Floats:
        """Means of the columns of the factor, in float64; an offset costs no digits."""
        Z = self.factor
        if not isinstance(Z, np.ndarray):
            return np.asarray(Z.mean(axis=0), dtype=np.float64).ravel()
        first = Z[0].astype(np.float64)
        total = np.zeros(Z.shape[1])
        for start in range(0, len(Z), 4096):
            total += (Z[start : start + 4096] - first).sum(axis=0)
        return first + total / len(Z)

    def _restrict(self, indices: Integers) -> FactoredKernel:
        return FactoredKernel(self.factor[indices])


class SampleIndices(Affinity):
    """The positions of samples alone, with no value between them.

    It stands in for the affinity of objectives that have none, where a model
    needs to know which samples a batch holds.

    Parameters
    ----------
    n_samples : int
        Number of samples.

    See Also
    --------
    gemclus.add_mlcl_constraint : Pairs of samples, which it lets folds know.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.affinity import SampleIndices
    >>> SampleIndices(10).take(np.array([7, 3])).indices
    array([7, 3])
    """

    def __init__(self, n_samples: int) -> None:
        self._n_samples = n_samples

    @property
    def shape(self) -> tuple[int, int]:
        return self._n_samples, self._n_samples

    def block(self, rows: Integers, columns: Integers) -> NDArray[Any]:
        raise TypeError(
            "the objective has no affinity: SampleIndices only says which samples "
            "a batch holds, it has no values"
        )

    def _restrict(self, indices: Integers) -> SampleIndices:
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
    distances : bool, default=False
        Whether the entries are distances instead of kernel values.

    See Also
    --------
    kernel_affinity, distance_affinity : Make one for batches.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics.pairwise import rbf_kernel
    >>> from gemclus.affinity import DenseKernel, LazyAffinity
    >>> X = np.arange(100.0)[:, None]
    >>> A = LazyAffinity(X, lambda batch: DenseKernel(rbf_kernel(batch)), rbf_kernel)
    >>> A.shape, A.take(np.array([0, 1])).array.shape
    ((100, 100), (2, 2))
    """

    X: Any
    dtype: np.dtype[Any]
    distances: bool

    def __init__(
        self,
        X: Any,
        compute: Callable[[Any], Affinity],
        pairwise: Callable[[Any, Any], NDArray[Any]],
        distances: bool = False,
    ) -> None:
        self.X = X
        self.dtype = X.dtype
        self.distances = distances
        self._compute = compute
        self._pairwise = pairwise

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape[0], self.X.shape[0]

    def block(self, rows: Integers, columns: Integers) -> NDArray[Any]:
        return self._pairwise(self.X[rows], self.X[columns])

    def _restrict(self, indices: Integers) -> Affinity:
        return self._compute(self.X[indices])

    def __matmul__(self, other: NDArray[Any]) -> NDArray[Any]:
        """Product with an (N, K) array, by blocks of rows: O(N) memory beside it."""
        everything = np.arange(len(self))
        out = np.empty((len(self), other.shape[1]), dtype=other.dtype)
        step = max(1, 2**22 // len(self))
        for start in range(0, len(self), step):
            rows = everything[start : start + step]
            out[rows] = self.block(rows, everything) @ other
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self._compute(self.X), dtype=dtype)


def _positions(key: Any, size: int) -> Integers:
    """Non-negative positions from a slice, a mask or integers."""
    if isinstance(key, slice):
        return np.arange(size)[key]
    key = np.asarray(key)
    if key.dtype == bool:
        if key.shape != (size,):
            raise IndexError(f"a mask over {size} samples has shape {key.shape}")
        return np.flatnonzero(key)
    return np.arange(size)[np.atleast_1d(key)]
