"""Must-link and cannot-link constraints between samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any, TypeAlias, TypeVar

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components
from sklearn.base import clone
from sklearn.utils.validation import check_array

from gemclus._base import DiscriminativeModel
from gemclus._common.fingerprints import KnownRows
from gemclus._common.folds import is_renumbered
from gemclus._common.pickling import stored_as_state
from gemclus._common.typing import ArrayLike, Booleans, Floats, Integers
from gemclus._common.validation import check_float
from gemclus.affinity import Affinity, AffinityRows
from gemclus.gemini._base import training_evaluator

# The class of a model stays when it is constrained.
Model = TypeVar("Model", bound=DiscriminativeModel)
# Positions of two samples each.
Pairs: TypeAlias = ArrayLike | Iterable[Any] | None


def add_mlcl_constraint(
    gemini_model: Model,
    must_link: Pairs = None,
    cannot_link: Pairs = None,
    factor: float = 1.0,
    *,
    X: Any = None,
) -> Model:
    """Constrain pairs of samples to the same cluster, or to different ones.

    The objective that `fit` maximises becomes ::

        GEMINI - factor * sum ||p_i - p_j||^2 over the pairs of must_link
               + factor * sum ||p_i - p_j||^2 over the pairs of cannot_link

    where ``p_i`` is the prediction ``p(y | x_i)``: pairs of the first kind
    attract each other, those of the second repel.

    Parameters
    ----------
    gemini_model : DiscriminativeModel
        The model to constrain. It is left as it is.
    must_link : array-like of int of shape (m, 2), default=None
        Pairs of positions, in `X` or the data that `fit` is given, of samples
        that should share a cluster. Iterators, such as a `zip`, are read.
    cannot_link : array-like of int of shape (c, 2), default=None
        Pairs of positions of samples that should not.
    factor : float, default=1.0
        Weight of each pair. A squared distance is at most 2, and a GEMINI does
        not grow with the number of samples, so one pair already counts at 1.
        It is a parameter of the constrained model: `get_params`, `set_params`
        and searches know it.
    X : array-like of shape (N, D), default=None
        The samples that the positions are of. With them, `fit` recognises the
        samples of the pairs by their features wherever they are in its data, as
        in the folds of a cross-validation, and refuses other data.

    Returns
    -------
    constrained_model : DiscriminativeModel
        An unfitted clone of the model, with the constraints. They stay with
        it in `sklearn.base.clone`, copies, pickles and `set_params`.

    Raises
    ------
    TypeError
        If the model is not a `DiscriminativeModel` or pairs are not integers.
    ValueError
        If a pair has equal or negative indices, or some samples that cannot be
        linked must be, through any chain of pairs. `fit` raises it for an
        index beyond its data, and for data without any of the samples of `X`.

    Notes
    -----
    - A model that is constrained already keeps its constraints, each with its
      own factor, and gets the new ones as well. A pair that is given twice
      counts twice.
    - In a minibatch the sum is over the pairs that have both samples in it:
      the smaller the batches, the less constraints weigh. With m pairs it
      costs O(m K) beside the model.
    - `score` is the GEMINI alone; `objective_curve_` has the penalty.
    - A model with constraints of several factors has a `factor` of None; another
      value that `set_params` gives it is for all pairs.
    - Without `X`, positions are those of the rows that `fit` gets, whatever they
      are. A cross-validation renumbers these, and those of scikit-learn and of
      `gemclus.selection` are refused: give `X`, or, where a pipeline
      changes the features, ``y=gemclus.affinity.SampleIndices(N)`` (or the
      precomputed affinity, as an affinity object), of which each fold gets its
      rows. Pairs then follow their samples, and those with a sample outside the
      fold are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus import add_mlcl_constraint
    >>> from gemclus.linear import LinearMMD
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 0.0], [5.0, 1.0]])
    >>> model = add_mlcl_constraint(
    ...     LinearMMD(n_clusters=2, learning_rate=0.1, random_state=0),
    ...     must_link=[[0, 2]],
    ...     cannot_link=[[0, 1]],
    ...     factor=10.0,
    ... )
    >>> labels = model.fit_predict(X)
    >>> bool(labels[0] == labels[2] != labels[1])
    True
    """
    if not isinstance(gemini_model, DiscriminativeModel):
        raise TypeError(
            "gemini_model must be an instance of DiscriminativeModel, got "
            f"{gemini_model!r}"
        )
    check_float("factor", factor, 0.0)
    links = [
        _check_pairs("must_link", must_link),
        _check_pairs("cannot_link", cannot_link),
    ]
    is_must = np.repeat([True, False], [len(link) for link in links])
    if X is not None:
        X = KnownRows(
            check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
        )
    constraints = PairConstraints(np.concatenate(links), is_must, factor, X)
    if gemini_model._constraints is not None:
        constraints = gemini_model._constraints.joined(constraints)
    if constraints.samples is not None:
        _check_positions(constraints.pairs, len(constraints.samples))
    constraints.check_consistent()
    constrained_model = clone(gemini_model)
    constrained_model._constraints = constraints
    return constrained_model


@stored_as_state
class PairConstraints:
    """Pairs of samples that attract or repel each other.

    Parameters
    ----------
    pairs : ndarray of shape (m, 2)
        Positions of samples.
    is_must : ndarray of shape (m,)
        Which pairs are must-links.
    factor : float or None
        Factor of the squared distances; None where pairs have their own.
    samples : KnownRows, default=None
        What the positions are of; None stands for the data of each fit.
    factors : ndarray of shape (m,), default=None
        Factors of their own; None stands for `factor`.
    """

    pairs: Integers
    is_must: Booleans
    factor: float | None
    samples: KnownRows | None
    factors: Floats | None

    def __init__(
        self,
        pairs: Integers,
        is_must: Booleans,
        factor: float | None,
        samples: KnownRows | None = None,
        factors: Floats | None = None,
    ) -> None:
        self.pairs = pairs
        self.is_must = is_must
        self.factor = factor
        self.samples = samples
        self.factors = factors

    def __repr__(self) -> str:
        n_must = int(self.is_must.sum())
        n_cannot = len(self.is_must) - n_must
        return f"{n_must} must-link and {n_cannot} cannot-link pairs"

    @property
    def weights(self) -> Floats:
        """Signed factors of the squared distances (m,), negative for cannot-links."""
        signs = np.where(self.is_must, 1.0, -1.0)
        if self.factor is None:
            return signs * self.factors
        return signs * check_float("factor", self.factor, 0.0)

    def with_factor(self, factor: float | None) -> PairConstraints:
        """The same pairs, with another factor; None leaves each pair its own."""
        if factor is None and self.factors is None:
            factor = self.factor
        return PairConstraints(
            self.pairs, self.is_must, factor, self.samples, self.factors
        )

    def joined(self, other: PairConstraints) -> PairConstraints:
        """These constraints and others, on the same samples."""
        both = [self.samples, other.samples]
        if None not in both and self.samples != other.samples:
            raise ValueError(
                "X must be the samples of the constraints that the model has already"
            )
        # No number for a common factor where there are two.
        factor = self.factor if self.factor == other.factor else None
        return PairConstraints(
            np.concatenate([self.pairs, other.pairs]),
            np.concatenate([self.is_must, other.is_must]),
            factor,
            self.samples if other.samples is None else other.samples,
            np.abs(np.concatenate([self.weights, other.weights])),
        )

    def check_consistent(self) -> None:
        """Refuse a cannot-link between samples that must-links connect."""
        samples, nodes = np.unique(self.pairs, return_inverse=True)
        nodes = nodes.reshape(self.pairs.shape)
        links = nodes[self.is_must]
        shape = (len(samples), len(samples))
        graph = csr_array(
            (np.ones(len(links)), (links[:, 0], links[:, 1])), shape=shape
        )
        component = connected_components(graph, directed=False)[1]
        conflicts = component[nodes[:, 0]] == component[nodes[:, 1]]
        conflicts &= ~self.is_must
        if conflicts.any():
            first, last = nodes[conflicts][0]
            previous = breadth_first_order(graph, first, directed=False)[1]
            chain = [last]
            while chain[-1] != first:
                chain.append(previous[chain[-1]])
            path = " - ".join(str(samples[node]) for node in reversed(chain))
            raise ValueError(
                f"cannot_link has the pair ({samples[first]}, {samples[last]}), which "
                f"must_link connects through {path}"
            )

    def penalise(
        self, gemini: Any, X: Any, y: Any = None, sample_weight: Any = None
    ) -> PenalisedObjective:
        """The objective of a fit: `gemini` and the penalties of these pairs.

        Parameters
        ----------
        gemini : GEMINI
            The objective without constraints.
        X : ndarray or CSR matrix of shape (N, D)
            The samples of the fit.
        y : object, default=None
            The ``y`` of `fit`: rows of an affinity object say which of all
            samples these are.
        sample_weight : ndarray of shape (n_samples,), default=None
            Weights of the samples: pairs with one of weight 0 are dropped, the
            others keep their factors.

        Returns
        -------
        objective : PenalisedObjective
        """
        n_samples, pairs = X.shape[0], self.pairs
        inside = np.ones(len(pairs), dtype=bool)
        if isinstance(y, AffinityRows):
            _check_positions(pairs, y.shape[1])
            pairs, inside = _renumber(pairs, y.rows, y.shape[1])
        elif self.samples is not None:
            pairs, found = self.samples.find(pairs, X)
            inside = found.all(axis=1)
            if len(found) and not found.any():
                raise ValueError(
                    "constraints must be of the samples of the fit, but X has none of "
                    "those that add_mlcl_constraint was given as X; where a pipeline "
                    "changes the features, leave that out and give fit "
                    "y=gemclus.affinity.SampleIndices(n_samples)"
                )
        else:
            remedy = (
                "; if these are the rows of a cross-validation, give "
                "add_mlcl_constraint the samples as X, or the cross-validation "
                "y=gemclus.affinity.SampleIndices(n_samples)"
            )
            _check_positions(pairs, n_samples, remedy)
            if len(pairs) and is_renumbered(n_samples):
                raise ValueError(
                    "constraints have positions in all of the samples, and a "
                    "cross-validation gives fit some of them, which have others: give "
                    "add_mlcl_constraint the samples as X, or the cross-validation "
                    "y=gemclus.affinity.SampleIndices(n_samples)"
                )
        weights = self.weights
        if sample_weight is not None:
            inside = inside & (sample_weight[pairs] > 0.0).all(axis=1)
        return PenalisedObjective(gemini, pairs[inside], weights[inside], n_samples)


class PenalisedObjective:
    """A GEMINI and the penalties of pairs of samples.

    Parameters
    ----------
    gemini : GEMINI
        The objective without constraints.
    pairs : ndarray of shape (m, 2)
        Positions in the data of the fit.
    weights : ndarray of shape (m,)
        Factors of the squared distances.
    n_samples : int
        Number of samples of the fit.
    """

    gemini: Any
    pairs: Integers
    weights: Floats
    n_samples: int

    def __init__(
        self, gemini: Any, pairs: Integers, weights: Floats, n_samples: int
    ) -> None:
        self.gemini = gemini
        self.pairs = pairs
        self.weights = weights
        self.n_samples = n_samples
        self._evaluate = training_evaluator(gemini)
        self._whole = _incidence(pairs, n_samples), weights

    def _training_evaluator(self) -> Callable[..., Any]:
        # Each training gets an evaluator of its own.
        twin = PenalisedObjective(self.gemini, self.pairs, self.weights, self.n_samples)
        return twin.evaluate

    def evaluate(
        self,
        y_pred: Any,
        affinity: Any,
        return_grad: bool = False,
        sample_weight: Any = None,
    ) -> Any:
        """Value (and gradient) with the penalties; as `GEMINI.evaluate`."""
        incidence, weights = self._links(len(y_pred), affinity)
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
        gaps = incidence @ y_pred
        penalty = float(weights @ np.einsum("mk,mk->m", gaps, gaps))
        if not return_grad:
            return self._evaluate(y_pred, affinity, **weighted) - penalty
        value, gradient = self._evaluate(y_pred, affinity, True, **weighted)
        pull = incidence.T @ (-2.0 * weights[:, None] * gaps)
        return value - penalty, gradient + pull.astype(y_pred.dtype, copy=False)

    def _links(self, n: int, affinity: Any) -> tuple[csr_array, Floats]:
        """Differences of the pairs within a batch of `n` samples, and weights."""
        if not isinstance(affinity, Affinity):
            raise ValueError(
                "_batchify must yield a selection A[idx][:, idx] of the affinity it is "
                "given, which tells constraints the samples of the batch, got "
                f"{type(affinity).__name__}"
            )
        if affinity.indices is None:
            return self._whole
        pairs, inside = _renumber(self.pairs, affinity.indices, self.n_samples)
        return _incidence(pairs[inside], n), self.weights[inside]


def _check_pairs(name, pairs):
    """`pairs` as an (n, 2) array of indices, checked."""
    if isinstance(pairs, (Iterator, Set)):
        pairs = list(pairs)
    if pairs is None:
        pairs = []
    try:
        array = np.asarray(pairs)
    except ValueError as error:
        raise ValueError(f"{name} must be pairs, of shape (n, 2): {error}") from error
    if array.ndim == 0:
        raise TypeError(
            f"{name} must be pairs of indices, of shape (n, 2), got {pairs!r} "
            f"({type(pairs).__name__})"
        )
    if len(array) == 0:
        return np.empty((0, 2), dtype=np.intp)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, got dtype {array.dtype}")
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} must be pairs, of shape (n, 2), got {array.shape}")
    array = array.astype(np.intp)
    if array.min() < 0:
        raise ValueError(f"{name} must hold indices of at least 0, got {array.min()}")
    equal = array[:, 0] == array[:, 1]
    if equal.any():
        pair = tuple(array[equal][0].tolist())
        raise ValueError(f"{name} must be pairs of different samples, got {pair}")
    return array


def _check_positions(pairs, n_samples, remedy=""):
    """Refuse positions beyond the samples."""
    beyond = pairs >= n_samples
    if beyond.any():
        raise ValueError(
            f"constraints must hold indices below the {n_samples} samples, got "
            f"{pairs[beyond][0]}{remedy}"
        )


def _renumber(pairs, indices, n_samples):
    """Positions of `pairs` among `indices`, and which pairs are all there."""
    position = np.full(n_samples, -1, dtype=np.intp)
    position[indices] = np.arange(len(indices))
    pairs = position[pairs]
    return pairs, (pairs >= 0).all(axis=1)


def _incidence(pairs, n_samples):
    """Matrix that maps predictions to the difference of each pair."""
    m = len(pairs)
    signs = np.tile([1.0, -1.0], m)
    ends = np.arange(0, 2 * m + 1, 2)
    return csr_array((signs, pairs.ravel(), ends), shape=(m, n_samples))
