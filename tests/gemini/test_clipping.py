"""Predictions that are clipped or tied, on every path of the objectives."""

import numpy as np
import pytest
from oracles import ORACLES
from scipy.sparse import csr_array

from gemclus.affinity import DenseKernel, FactoredKernel
from gemclus.gemini import AVAILABLE_GEMINIS, MMDGEMINI, TVGEMINI
from gemclus.gemini._registry import make_gemini
from gemclus.testing import numerical_gradient

generator = np.random.RandomState(0)
# Exact in both precisions.
Z = generator.normal(size=(30, 3)).astype(np.float32).astype(np.float64)
P = generator.dirichlet(np.ones(4), size=30)
# Some entries below and above each of the bounds used here.
P[3], P[8] = [0.97, 0.01, 0.01, 0.01], [0.02, 0.0, 0.98, 0.0]
P[21] = [0.0, 0.0, 0.0, 1.0]

# Kernel -> what the dtype of the predictions makes of it: the compiled products,
# products of NumPy, a matrix.
KERNELS = {
    "factor": lambda dtype: FactoredKernel(Z.astype(dtype)),
    "factor of the other dtype": lambda dtype: FactoredKernel(
        Z.astype(np.float32 if dtype == np.float64 else np.float64)
    ),
    "strided factor": lambda dtype: FactoredKernel(np.repeat(Z, 2, 1)[:, ::2]),
    "sparse factor": lambda dtype: FactoredKernel(csr_array(Z)),
    "wide factor": lambda dtype: FactoredKernel(np.hstack([Z, np.zeros((30, 1500))])),
    "matrix": lambda dtype: DenseKernel(Z @ Z.T),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("epsilon", [1e-12, 0.05])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("ovo", [False, True])
def test_the_mmd_of_clipped_predictions(ovo, kernel, epsilon, dtype):
    gemini = MMDGEMINI(ovo=ovo, epsilon=epsilon)
    tolerance = 1e-9 if dtype == np.float64 else 2e-5
    predictions = P.astype(dtype)
    value, gradient = gemini.evaluate(predictions, KERNELS[kernel](dtype), True)
    clipped = np.clip(predictions.astype(float), epsilon, 1 - epsilon)
    oracle = ORACLES["mmd_ovo" if ovo else "mmd_ova"]
    assert value == pytest.approx(oracle(clipped, Z @ Z.T), rel=tolerance)
    Q = clipped.copy()
    expected = numerical_gradient(lambda: oracle(Q, Z @ Z.T), Q, step=1e-4)
    expected[clipped != predictions] = 0
    assert (expected == 0).sum() >= 5
    np.testing.assert_array_equal(gradient[expected == 0], 0)
    np.testing.assert_allclose(gradient, expected, rtol=1e3 * tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_any_objective_sees_clipped_predictions(name, dtype):
    predictions, clipped = P.astype(dtype), np.clip(P.astype(dtype), 0.05, 0.95)
    gemini, plain = make_gemini(name).set_params(epsilon=0.05), make_gemini(name)
    affinity = gemini.compute_affinity(Z)
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    value, gradient = gemini.evaluate(predictions, affinity, return_grad=True)
    expected, slope = plain.evaluate(clipped, affinity, return_grad=True)
    assert value == pytest.approx(expected, rel=tolerance)
    assert gemini.evaluate(predictions, affinity) == value
    inside = (P > 0.05) & (P < 0.95)
    assert 20 < inside.sum() < P.size - 5
    np.testing.assert_array_equal(gradient[~inside], 0)
    if "wasserstein" not in name:  # potentials need not be unique
        np.testing.assert_allclose(
            gradient[inside], slope[inside], rtol=1e3 * tolerance, atol=tolerance
        )


@pytest.mark.parametrize("n", [2047, 2048, 2049, 4095, 4096, 4097, 6145])
@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, csr_array])
def test_every_row_of_a_factor_counts_once(kind, n):
    samples = np.random.RandomState(1).normal(size=(n, 2)) + 3.0
    samples[-1] = 40.0  # the last row shows
    rows = np.random.RandomState(2).dirichlet(np.ones(3), size=n)
    rows[-1] = [0.98, 0.01, 0.01]
    value, gradient = MMDGEMINI().evaluate(rows, FactoredKernel(kind(samples)), True)
    centred = samples - samples.mean(axis=0)
    M = centred.T @ rows
    norms = np.linalg.norm(M, axis=0)
    assert value == pytest.approx(norms.sum() / n, rel=1e-10)
    np.testing.assert_allclose(gradient, centred @ (M / norms) / n, atol=1e-12)


def test_total_variation_one_vs_all_has_slope_zero_at_ties():
    # Proportions 0.5 exactly: the entries of the first row tie with them.
    Q = np.array([[0.5, 0.5], [0.375, 0.625], [0.375, 0.625], [0.75, 0.25]])
    value, gradient = TVGEMINI().evaluate(Q, None, return_grad=True)
    assert value == (0 + 2 * 0.125 + 2 * 0.125 + 2 * 0.25) / 8
    sign = np.array([[0, 0], [-1, 1], [-1, 1], [1, -1]])
    np.testing.assert_array_equal(gradient, (sign - sign.mean(axis=0)) / 8)


# Compared in pairs, and sorted.
@pytest.mark.parametrize("row", [[0.5, 0.5], [0.5, 0.25, 0.25], [1 / 256] * 256])
def test_total_variation_one_vs_one_has_slope_zero_at_ties(row):
    # Equal rows of powers of two: all ratios are exactly 1.
    Q = np.tile(row, (4, 1))
    value, gradient = TVGEMINI(ovo=True).evaluate(Q, None, return_grad=True)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)
