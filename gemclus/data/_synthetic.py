"""Generators of Gaussian and Student-t mixtures.

All draws come from one `RandomState` in a documented order, so that a seed
gives the same sample everywhere.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from gemclus._common.typing import ArrayLike, Floats, Integers, Seed
from gemclus._common.validation import (
    check_float,
    check_int,
    check_seed,
)


def draw_gmm(
    n: int,
    loc: ArrayLike,
    scale: ArrayLike,
    pvals: ArrayLike,
    random_state: Seed = None,
) -> tuple[Floats, Integers]:
    """Draw from a mixture of Gaussians.

    Parameters
    ----------
    n : int
        Number of samples.
    loc : array-like of shape (K, d)
        Means of the K components.
    scale : array-like of shape (K, d, d), or (K, 1) if d = 1
        Covariances; standard deviations if d = 1.
    pvals : array-like of shape (K,)
        Proportions of the components, summing to 1.
    random_state : int, RandomState or None, default=None
        Source of the draws: first the components of all samples, then n draws
        of each component in turn.

    Returns
    -------
    X : ndarray of shape (n, d)
        The samples.
    y : ndarray of shape (n,)
        The component of each.

    Raises
    ------
    ValueError
        If shapes disagree, a covariance is not symmetric positive
        semi-definite, or the proportions do not sum to 1.

    See Also
    --------
    multivariate_student_t : Draws with heavy tails.
    gstm : Three Gaussians and a Student-t.
    sklearn.datasets.make_blobs : Gaussians of round covariances.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.data import draw_gmm
    >>> X, y = draw_gmm(50, np.eye(2), [np.eye(2)] * 2, [0.5, 0.5], random_state=0)
    >>> X.shape, y.shape
    ((50, 2), (50,))
    """
    n = check_int("n", n, 1)
    loc = _finite_array("loc", loc, 2)
    K, d = loc.shape
    scale = np.asarray(scale, dtype=np.float64)
    if d == 1 and scale.shape == (K, 1):
        if not (np.isfinite(scale).all() and (scale >= 0).all()):
            raise ValueError(
                "scale must hold finite, non-negative standard deviations, got "
                f"{scale.ravel()}"
            )
    elif scale.shape == (K, d, d):
        for component in scale:
            _check_covariance("scale", component)
    else:
        expected = f"({K}, {d}, {d})" + (f" or ({K}, 1)" if d == 1 else "")
        raise ValueError(f"scale must have shape {expected}, got {scale.shape}")
    pvals = _finite_array("pvals", pvals, 1)
    if pvals.shape != (K,) or (pvals < 0).any() or abs(pvals.sum() - 1.0) > 1e-8:
        raise ValueError(
            f"pvals must be {K} proportions that sum to 1, got {pvals.tolist()}"
        )

    generator = check_seed(random_state)
    y = generator.choice(K, p=pvals, size=(n,))
    X = np.empty((n, d))
    for k in range(K):
        if scale.shape == (K, 1):
            draws = generator.normal(loc[k], scale[k], size=(n, 1))
        else:
            draws = generator.multivariate_normal(loc[k], scale[k], size=n)
        X[y == k] = draws[y == k]
    return X, y


def multivariate_student_t(
    n: int, loc: ArrayLike, scale: ArrayLike, df: float = 10, random_state: Seed = None
) -> Floats:
    """Draw from a multivariate Student-t distribution.

    Parameters
    ----------
    n : int
        Number of samples.
    loc : array-like of shape (d,)
        Centre.
    scale : array-like of shape (d, d)
        Shape matrix: ``df / (df - 2)`` times it is the covariance if df > 2.
    df : float, default=10
        Degrees of freedom.
    random_state : int, RandomState or None, default=None
        Source of the draws: n centred normals, then n chi-squares.

    Returns
    -------
    X : ndarray of shape (n, d)
        The samples.

    Raises
    ------
    ValueError
        If shapes disagree, `scale` is not symmetric positive semi-definite, or
        `df` is not positive.

    See Also
    --------
    draw_gmm : Mixture of Gaussians.
    gstm : Mixture that has such a component.
    scipy.stats.multivariate_t : The distribution, with its density.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.data import multivariate_student_t
    >>> X = multivariate_student_t(50, [0.0, 1.0], np.eye(2), df=3, random_state=0)
    >>> X.shape
    (50, 2)
    """
    n = check_int("n", n, 1)
    loc = _finite_array("loc", loc, 1)
    scale = _finite_array("scale", scale, 2)
    if scale.shape != (len(loc), len(loc)):
        raise ValueError(
            f"scale must have shape ({len(loc)}, {len(loc)}) as loc has {len(loc)} "
            f"entries, got {scale.shape}"
        )
    _check_covariance("scale", scale)
    df = check_float("df", df, 0.0, strict=True)
    generator = check_seed(random_state)
    normals = generator.multivariate_normal(np.zeros(len(loc)), scale, size=n)
    chi_squares = generator.chisquare(df, size=(n, 1))
    return np.sqrt(df / chi_squares) * normals + loc


def gstm(
    n: int = 500, alpha: float = 2, df: float = 1, random_state: Seed = None
) -> tuple[Floats, Integers]:
    """Draw the Gaussian-Student mixture of the GEMINI paper.

    Three Gaussians of unit covariance at ``alpha`` times (1, 1), (1, -1) and
    (-1, 1) share three quarters of the samples; the rest is a Student-t at
    ``alpha * (-1, -1)``, whose tails defeat model-based clustering.

    Parameters
    ----------
    n : int, default=500
        Number of samples.
    alpha : float, default=2
        Distance of the means from the axes.
    df : float, default=1
        Degrees of freedom of the Student-t component.
    random_state : int, RandomState or None, default=None
        Source of the draws.

    Returns
    -------
    X : ndarray of shape (n, 2)
        The samples.
    y : ndarray of shape (n,)
        Their components; 3 is the Student-t.

    See Also
    --------
    draw_gmm : Mixture of Gaussians alone.
    multivariate_student_t : The fourth component.

    References
    ----------
    Ohl et al., "Generalised mutual information for discriminative clustering",
    NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from gemclus.data import gstm
    >>> X, y = gstm(n=500, random_state=0)
    >>> X.shape, int(np.sum(y == 3))
    ((500, 2), 125)
    """
    n = check_int("n", n, 4)
    alpha = check_float("alpha", alpha)
    generator = check_seed(random_state)
    n_gaussian = 3 * n // 4
    loc = alpha * np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    X_gaussian, y_gaussian = draw_gmm(
        n_gaussian, loc, [np.eye(2)] * 3, np.full(3, 1 / 3), generator
    )
    centre = alpha * np.array([-1.0, -1.0])
    X_student = multivariate_student_t(n - n_gaussian, centre, np.eye(2), df, generator)
    X = np.concatenate([X_gaussian, X_student])
    y = np.concatenate([y_gaussian, np.full(n - n_gaussian, 3)])
    order = generator.permutation(n)
    return X[order], y[order]


def celeux_one(
    n: int = 300, p: int = 20, mu: float = 1.7, random_state: Seed = None
) -> tuple[Floats, Integers]:
    """Draw three Gaussians in 5 dimensions among `p` columns of noise.

    Parameters
    ----------
    n : int, default=300
        Number of samples.
    p : int, default=20
        Number of noise columns, standard normal, after the 5 informative ones.
    mu : float, default=1.7
        The means are ``mu``, ``-mu`` and 0 in each informative column.
    random_state : int, RandomState or None, default=None
        Source of the draws.

    Returns
    -------
    X : ndarray of shape (n, 5 + p)
        The samples.
    y : ndarray of shape (n,)
        Their components.

    See Also
    --------
    celeux_two : Columns that depend on the informative ones.
    gemclus.sparse.SparseLinearMMD : Selects features while it clusters.

    References
    ----------
    Celeux et al., "Comparing model selection and regularization approaches to
    variable selection in model-based clustering", JSFdS 155, 2014, section 3.1.

    Examples
    --------
    >>> from gemclus.data import celeux_one
    >>> X, y = celeux_one(n=300, p=20, random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((300, 25), [0, 1, 2])
    """
    n = check_int("n", n, 1)
    p = check_int("p", p, 0)
    mu = check_float("mu", mu)
    generator = check_seed(random_state)
    loc = mu * np.array([[1.0], [-1.0], [0.0]]) * np.ones(5)
    X, y = draw_gmm(n, loc, [np.eye(5)] * 3, np.full(3, 1 / 3), generator)
    return np.concatenate([X, generator.normal(size=(n, p))], axis=1), y


def celeux_two(n: int = 2000, random_state: Seed = None) -> tuple[Floats, Integers]:
    """Draw four Gaussians in 2 dimensions, with 12 redundant or noise columns.

    Parameters
    ----------
    n : int, default=2000
        Number of samples.
    random_state : int, RandomState or None, default=None
        Source of the draws.

    Returns
    -------
    X : ndarray of shape (n, 14)
        Columns 0 and 1 carry the clusters, 2 to 10 are noisy linear functions
        of them, 11 to 13 are independent noise.
    y : ndarray of shape (n,)
        Their components.

    See Also
    --------
    celeux_one : Columns of noise alone.
    gemclus.sparse.SparseLinearMMD : Selects features while it clusters.

    References
    ----------
    Celeux et al., "Comparing model selection and regularization approaches to
    variable selection in model-based clustering", JSFdS 155, 2014, section 3.2.

    Examples
    --------
    >>> from gemclus.data import celeux_two
    >>> X, y = celeux_two(n=500, random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((500, 14), [0, 1, 2, 3])
    """
    n = check_int("n", n, 1)
    generator = check_seed(random_state)
    loc = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0], [4.0, 2.0]])
    X, y = draw_gmm(n, loc, [np.eye(2)] * 4, np.full(4, 0.25), generator)

    intercept = np.array([0, 0, 0.4, 0.8, 1.2, 1.6, 2, 2.4, 2.8])
    slopes = np.array(
        [(0.5, 1), (2, 0), (0, 3), (-1, 2), (2, -4), (0.5, 0), (4, 0.5), (3, 0), (2, 1)]
    ).T
    covariance = np.zeros((9, 9))
    covariance[:3, :3] = np.eye(3)
    covariance[3:5, 3:5] = 0.5 * np.eye(2)
    # Exact cosines and sines: eigenvalues repeat, so that the last bits of the
    # covariance decide which sample a seed gives.
    covariance[5:7, 5:7] = _rotated(0.5, sqrt(3) / 2, (1, 3))  # 60 degrees
    covariance[7:, 7:] = _rotated(sqrt(3) / 2, 0.5, (2, 6))  # 30 degrees
    noise = generator.multivariate_normal(np.zeros(9), covariance, size=n)
    redundant = intercept + X @ slopes + noise
    independent = generator.normal([3.2, 3.6, 4.0], 1.0, size=(n, 3))
    return np.concatenate([X, redundant, independent], axis=1), y


def _rotated(cosine: float, sine: float, variances: tuple[float, float]) -> Floats:
    """``R.T diag(variances) R`` for the counter-clockwise rotation ``R``."""
    R = np.array([[cosine, -sine], [sine, cosine]])
    return R.T @ np.diag(variances) @ R


def _finite_array(name: str, value: ArrayLike, ndim: int) -> Floats:
    try:
        value = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers: {error}") from error
    if value.ndim != ndim or value.size == 0:
        raise ValueError(
            f"{name} must be a non-empty array with {ndim} dimension(s), got shape "
            f"{value.shape}"
        )
    if not np.isfinite(value).all():
        raise ValueError(f"{name} must be finite, it contains NaN or infinity")
    return value


def _check_covariance(name: str, matrix: Floats) -> None:
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} must be finite, it contains NaN or infinity")
    scale = np.abs(matrix).max()
    if not np.allclose(matrix, matrix.T, rtol=0, atol=1e-8 * scale):
        raise ValueError(f"{name} must hold symmetric matrices, got {matrix.tolist()}")
    smallest = np.linalg.eigvalsh(matrix)[0]
    if smallest < -1e-8 * scale:
        raise ValueError(
            f"{name} must hold positive semi-definite matrices, got one with "
            f"eigenvalue {smallest:g}"
        )
