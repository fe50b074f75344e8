"""Checks of what users give as a kernel or metric."""

from gemclus._common.validation import check_square_matrix, check_symmetric_matrix
from gemclus.affinity._objects import AffinityRows


def check_name(argument, name, known):
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


def precomputed_matrix(y, n_samples, argument):
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
            f"{argument}='precomputed' needs y of shape ({n_samples}, {n_samples}), "
            f"got {shape}: if these are the rows of a cross-validation, give it "
            f"y=gemclus.affinity.{kind}(matrix), whose rows know their columns"
        )
    matrix = check_square_matrix(y, n_samples, "y")
    check_symmetric_matrix(matrix, "y")
    return matrix
