"""The limits of the growth of a tree, as numbers."""

from math import ceil, log2, sqrt
from numbers import Integral, Real

from sklearn.utils import check_random_state

from gemclus._common.validation import check_choice, check_float, check_int
from gemclus.tree._kauri.columns import MOST_BINS

_MOST_SAMPLES = 2**30


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
    seed = check_random_state(model.random_state).randint(2**31 - 1)
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
