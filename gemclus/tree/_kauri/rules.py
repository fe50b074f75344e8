"""The limits of the growth of a tree, as numbers."""

from math import ceil, log2, sqrt
from numbers import Integral, Real

import numpy as np

from gemclus._common.validation import (
    check_choice,
    check_float,
    check_int,
    check_seed,
)
from gemclus._common.warnings import warn
from gemclus.tree._kauri.columns import MOST_BINS

_MOST_SAMPLES = 2**30
# The most samples for which max_bins="auto" looks at every gap.
_EXACT_SAMPLES = 20_000
_AUTO_BINS = 255
# Sums over the bins of all features take no more memory than this, or the data.
_SUMS_BYTES = 2**30
# A share of the scatter that one feature should not have.
_DOMINANT = 0.99
# Fewer samples say little of scatters.
_FEW_SAMPLES = 100
_MANY_LEAVES = 1000
# Named kernels in which features weigh what they scatter.
_SCALED_KERNELS = ("laplacian", "linear", "poly", "polynomial", "rbf")


def growth_rules(model, n_samples, n_features, total_weight):
    """The limits that a `Kauri` sets on its growth, checked.

    Parameters
    ----------
    model : Kauri
        Its parameters are read.
    n_samples, n_features : int
        Shape of the samples of positive weight.
    total_weight : float
        The sum of their weights.

    Returns
    -------
    rules : dict
        Arguments of `gemclus.tree._kauri.growth.grow`.
    """
    if n_samples > _MOST_SAMPLES:
        raise ValueError(
            f"X must have at most {_MOST_SAMPLES} samples, got {n_samples}"
        )
    fraction = check_float(
        "min_weight_fraction_leaf", model.min_weight_fraction_leaf, 0.0, 0.5
    )
    seed = check_seed(model.random_state).randint(2**31 - 1)
    return {
        "max_clusters": min(
            check_int("max_clusters", model.max_clusters, 1), n_samples
        ),
        "max_leaves": _limit("max_leaves", model.max_leaves, n_samples),
        "max_depth": _limit("max_depth", model.max_depth, n_samples),
        "min_samples_split": _size(
            "min_samples_split", model.min_samples_split, 2, n_samples
        ),
        "min_samples_leaf": _size(
            "min_samples_leaf", model.min_samples_leaf, 1, n_samples
        ),
        "min_weight_leaf": fraction * total_weight,
        "max_features": _feature_count(model.max_features, n_features),
        "min_gain": check_float("min_gain", model.min_gain, 0.0),
        "seed": seed,
    }


def bin_limit(max_bins):
    """`max_bins` checked: None, ``"auto"`` or an int."""
    if max_bins is None:
        return None
    if isinstance(max_bins, str):
        return check_choice("max_bins", max_bins, ("auto",))
    max_bins = check_int("max_bins", max_bins, 2)
    if max_bins > MOST_BINS:
        raise ValueError(f"max_bins must be at most {MOST_BINS}, got {max_bins}")
    return max_bins


def bins_to_use(max_bins, X, factor):
    """Number of bins that `max_bins` asks for, or None for a cut at each gap.

    Raises
    ------
    ValueError
        If the sums of the factor over bins would take far more memory than the
        data.
    """
    n_samples, n_features = X.shape
    automatic = max_bins == "auto"
    if max_bins is None or (automatic and n_samples <= _EXACT_SAMPLES):
        return None
    if factor is None:  # a matrix: the walk is that of sorted samples
        return None if automatic else max_bins
    bins = min(_AUTO_BINS if automatic else max_bins, n_samples)
    needed = 8 * bins * n_features * (factor.shape[1] + 2)
    if needed <= max(_SUMS_BYTES, X.nbytes + factor.nbytes):
        return bins
    if automatic:
        return None
    raise ValueError(
        f"max_bins={max_bins} with {n_features} features and a kernel with a factor of "
        f"{factor.shape[1]} columns needs sums of {needed / 1e9:.1f} GB: give fewer "
        "bins, max_bins=None, or a kernel with fewer columns (for instance a feature "
        "map of sklearn.random_projection, or of sklearn.kernel_approximation)"
    )


def warn_of_scale(X, kernel):
    """Warn if nearly all of the scatter that the kernel sees is that of one feature."""
    if not isinstance(kernel, str) or kernel not in _SCALED_KERNELS:
        return
    if X.shape[0] < _FEW_SAMPLES:
        return
    some = X[:: max(1, X.shape[0] // 10_000)]
    known = ~np.isnan(some)
    counts = np.maximum(known.sum(axis=0), 1)
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.where(known, some - np.nansum(some, axis=0) / counts, 0.0)
        scatter = (gaps**2).sum(axis=0) / counts
    total = scatter.sum()
    if np.count_nonzero(scatter) > 1 and scatter.max() > _DOMINANT * total:
        warn(
            f"feature {scatter.argmax()} holds {100 * scatter.max() / total:.1f}% of "
            "the scatter of X, and the tree will hardly look at the others: "
            "standardise the features, for instance with "
            "sklearn.preprocessing.StandardScaler"
        )


def warn_of_leaves(model):
    """Warn if nothing but the samples has bounded the growth of a fitted tree."""
    n_leaves = model.tree_.n_leaves
    unbounded = model.max_leaves is None and model.min_gain == 0.0
    if n_leaves > max(_MANY_LEAVES, 4 * model.n_clusters_) and unbounded:
        warn(
            f"the tree has {n_leaves} leaves for {model.n_clusters_} clusters, as on "
            "noise: bound it by max_leaves, or by min_gain (0.01 asks each split for "
            "one percent of the scatter)"
        )


def _limit(name, value, unlimited):
    """An upper limit, None standing for none."""
    return unlimited if value is None else min(check_int(name, value, 1), unlimited)


def _size(name, value, minimum, n_samples):
    """A number of samples, given as such or as a fraction of all."""
    if isinstance(value, Integral) or not isinstance(value, Real):
        # More than there are forbids every split, as n_samples + 1 does.
        return min(check_int(name, value, minimum), n_samples + 1)
    fraction = check_float(name, value, 0.0, 1.0, strict=True)
    return max(minimum, ceil(fraction * n_samples))


def _feature_count(max_features, n_features):
    """Number of features to draw for each leaf."""
    if max_features is None:
        return n_features
    if isinstance(max_features, str):
        check_choice("max_features", max_features, ("log2", "sqrt"))
        root = sqrt if max_features == "sqrt" else log2
        return max(1, int(root(n_features)))
    if isinstance(max_features, Integral) or not isinstance(max_features, Real):
        count = check_int("max_features", max_features, 1)
        if count > n_features:
            raise ValueError(
                f"max_features must be at most n_features={n_features}, got {count}"
            )
        return count
    fraction = check_float("max_features", max_features, 0.0, 1.0, strict=True)
    return max(1, int(fraction * n_features))
