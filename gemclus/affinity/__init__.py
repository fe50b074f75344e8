"""Kernels and distances between samples, from a name, a callable or a matrix.

Everything that turns data into an affinity is here: which names exist, which
kernels have an exact factor (and so never make an N x N array), which metrics
are known to satisfy the triangle inequality, and what is refused.

An *affinity object* stands for an (N, N) matrix ``A`` without being one. It
supports ``A.shape``, ``A[idx][:, idx]``, ``A[np.ix_(idx, idx)]`` and
``np.asarray(A)``; `take` restricts it to a batch of samples.
"""

from gemclus._common.public import publish
from gemclus.affinity._cholesky import (
    KernelFactor,
    is_positive_kernel,
    pivoted_cholesky,
)
from gemclus.affinity._distances import (
    TRUE_METRICS,
    distance_affinity,
    distance_matrix,
)
from gemclus.affinity._feature_maps import (
    FittedFeatureMap,
    fit_feature_map,
    is_feature_map,
)
from gemclus.affinity._geodesic import geodesic_distances
from gemclus.affinity._kernels import (
    cross_kernel,
    factor_kernel,
    kernel_affinity,
    kernel_matrix,
)
from gemclus.affinity._objects import (
    Affinity,
    AffinityRows,
    DenseKernel,
    Distances,
    FactoredKernel,
    LazyAffinity,
    MatrixAffinity,
    SampleIndices,
    SparseKernel,
)
from gemclus.affinity._seeding import seed_labels

__all__ = [
    "TRUE_METRICS",
    "Affinity",
    "AffinityRows",
    "DenseKernel",
    "Distances",
    "FactoredKernel",
    "FittedFeatureMap",
    "KernelFactor",
    "LazyAffinity",
    "MatrixAffinity",
    "SampleIndices",
    "SparseKernel",
    "cross_kernel",
    "distance_affinity",
    "distance_matrix",
    "factor_kernel",
    "fit_feature_map",
    "geodesic_distances",
    "is_feature_map",
    "is_positive_kernel",
    "kernel_affinity",
    "kernel_matrix",
    "pivoted_cholesky",
    "seed_labels",
]

publish(__name__, globals(), __all__)
