"""Kernels that are given by a map of the samples to features."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone

from gemclus._common.typing import Parameters
from gemclus._common.validation import FLOATS
from gemclus._core.array_passes import first_not_finite


class FittedFeatureMap:
    """A fitted transformer, whose outputs are the factor of a kernel.

    Parameters
    ----------
    transformer : object
        A fitted scikit-learn transformer.
    argument : str, default="kernel"
        What messages call it.

    See Also
    --------
    fit_feature_map : Makes one.
    FactoredKernel : The kernel of such a factor.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from gemclus.affinity import FittedFeatureMap
    >>> X = np.array([[1.0], [3.0]])
    >>> feature_map = FittedFeatureMap(StandardScaler().fit(X))
    >>> feature_map.factor(X)
    array([[-1.],
           [ 1.]])
    """

    transformer: Any
    argument: str

    def __init__(self, transformer: Any, argument: str = "kernel") -> None:
        self.transformer = transformer
        self.argument = argument

    def __repr__(self) -> str:
        return repr(self.transformer)

    def factor(self, X: Any) -> Any:
        """The features of some samples.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n, D)
            Validated samples.

        Returns
        -------
        Z : ndarray or CSR matrix of shape (n, r)
            Finite floats.

        Raises
        ------
        ValueError
            If the transformer returns anything else.
        """
        Z: Any = self.transformer.transform(X)
        Z = Z.tocsr() if issparse(Z) else np.asarray(Z)
        name = f"{self.argument}={type(self.transformer).__name__}"
        if Z.ndim != 2 or Z.shape[0] != X.shape[0] or Z.dtype.kind not in "fiub":
            raise ValueError(
                f"{name} must map {X.shape[0]} samples to an array of numbers of shape "
                f"({X.shape[0]}, r), got {Z.dtype} of shape {Z.shape}"
            )
        if Z.dtype not in FLOATS:
            Z = Z.astype(np.float64)
        if first_not_finite((Z.data if issparse(Z) else np.ascontiguousarray(Z),)) >= 0:
            raise ValueError(f"{name} maps the samples to NaN or infinity")
        return Z if issparse(Z) else np.ascontiguousarray(Z)


def is_feature_map(kernel: Any) -> bool:
    """Whether a kernel is given by a transformer, to be fitted to the samples.

    Parameters
    ----------
    kernel : object
        What the user gave: a name, a callable, or an object with the methods
        `fit` and `transform`, as the transformers of scikit-learn.

    Returns
    -------
    answer : bool

    See Also
    --------
    fit_feature_map : Fits one.

    Examples
    --------
    >>> from sklearn.kernel_approximation import Nystroem
    >>> from gemclus.affinity import is_feature_map
    >>> is_feature_map(Nystroem()), is_feature_map("rbf")
    (True, False)
    """
    return (
        not isinstance(kernel, (str, type))
        and not callable(kernel)
        and hasattr(kernel, "fit")
        and hasattr(kernel, "transform")
    )


def fit_feature_map(
    transformer: Any, params: Parameters, X: Any, argument: str = "kernel"
) -> FittedFeatureMap:
    """Fit a clone of a transformer to the samples.

    Parameters
    ----------
    transformer : object
        A scikit-learn transformer, or a pipeline that ends with one. It is left
        as it is.
    params : dict or None
        The user's ``<argument>_params``, of which a transformer takes none.
    X : ndarray or CSR matrix of shape (N, D)
        Validated samples.
    argument : str, default="kernel"
        What messages call the transformer.

    Returns
    -------
    feature_map : FittedFeatureMap
        Its cost is that of the transformer.

    See Also
    --------
    FittedFeatureMap : The result.
    is_feature_map : Whether a kernel is given by a transformer.
    sklearn.kernel_approximation.Nystroem : A feature map of a named kernel.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.kernel_approximation import Nystroem
    >>> from gemclus.affinity import fit_feature_map
    >>> X = np.arange(10.0)[:, None]
    >>> feature_map = fit_feature_map(Nystroem(n_components=4, random_state=0), None, X)
    >>> feature_map.factor(X).shape
    (10, 4)
    """
    if params:
        raise ValueError(
            f"{argument}_params {dict(params)!r} do not fit {argument}="
            f"{type(transformer).__name__}, a transformer with parameters of its own: "
            f"set them there, or search over {argument}__{next(iter(params))}"
        )
    return FittedFeatureMap(clone(transformer).fit(X), argument)
