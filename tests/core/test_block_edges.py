"""Products of layers at sizes around everything that they take together."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import softmax

from gemclus._core import layers
from gemclus._core.softmax_passes import softmax_rows

# Around the 4 rows of a register tile, the 64 rows of T that are padded at a time,
# the 512 of a layer's block and the 2048 of the blocks of NumPy's products.
ROWS = [1, 3, 4, 5, 63, 64, 65, 511, 512, 513, 575, 2049]
MORE_ROWS = [4095, 4096, 4097, 5000, 6143, 6144, 6145]
# Around the lanes of vectors of all widths, and 3 vectors of them, then the widest.
COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 23, 24, 25, 31, 32]


def arrays(n, d, m, dtype=np.float64, seed=0):
    generator = np.random.RandomState(seed)
    shapes = [(n, d), (n, m), (d, m), (1, m)]
    return [generator.normal(size=shape).astype(dtype) for shape in shapes]


def check_gradients(found, X, T, dtype):
    scale = np.sqrt(len(X)) * np.finfo(dtype).eps
    for gradient, expected in zip(found, (X.T @ T, T.sum(axis=0, keepdims=True))):
        assert gradient.shape == expected.shape
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=100 * scale)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", ROWS)
def test_every_row_counts_once(n, dtype):
    X, T, W, b = arrays(n, 5, 3, dtype)
    exact = X.astype(float), T.astype(float)
    check_gradients(layers.affine_backward(X, T), *exact, dtype)
    P = layers.softmax_affine(X, W, b)
    expected = softmax(exact[0] @ W.astype(float) + b, axis=1)
    np.testing.assert_allclose(P, expected, rtol=0, atol=50 * np.finfo(dtype).eps)
    H = layers.affine_relu(X, W, b)
    expected = np.maximum(exact[0] @ W.astype(float) + b, 0)
    np.testing.assert_allclose(H, expected, rtol=0, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("m", COLUMNS)
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 8])
def test_every_column_counts_once(d, m):
    X, T, W, b = arrays(67, d, m)
    check_gradients(layers.affine_backward(X, T), X, T, np.float64)
    expected = np.maximum(X @ W + b, 0)
    np.testing.assert_allclose(layers.affine_relu(X, W, b), expected, atol=1e-13)
    W_next = np.random.RandomState(1).normal(size=(m, 3))
    T_next = np.random.RandomState(2).normal(size=(67, 3))
    B = (T_next @ W_next.T) * (expected > 0)
    found = layers.affine_relu_backward(X, expected, T_next, W_next)
    check_gradients(found, X, B, np.float64)


# Neither layout is one that the compiled passes take.
@pytest.mark.parametrize("layout", [np.asfortranarray, csr_array])
@pytest.mark.parametrize("n", [1, 2048, *MORE_ROWS])
def test_every_row_counts_once_beside_the_passes(n, layout):
    X, T, _, _ = arrays(n, 3, 2)
    check_gradients(layers.affine_backward(layout(X), T), X, T, np.float64)


def test_wide_layers_of_many_samples():
    X, T, _, _ = arrays(5000, 784, 10)
    check_gradients(layers.affine_backward(X, T), X, T, np.float64)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_columns", [2, 3, 33])
def test_the_largest_logit_is_subtracted_whatever_its_column(n_columns, dtype):
    for column in range(n_columns):
        for others in (0.0, -3.0):
            logits = np.full((70, n_columns), others, dtype)
            logits[:, column] = 2000.0
            assert softmax_rows(logits)
            expected = np.zeros((70, n_columns))
            expected[:, column] = 1.0
            np.testing.assert_array_equal(logits, expected)


def test_a_low_first_logit_does_not_vanish_with_the_others():
    logits = np.array([[0.0, 2000.0, 2000.0], [-2000.0, -1999.0, -2000.0]])
    softmax_rows(logits)
    e = np.exp(-1.0)
    expected = [[0, 0.5, 0.5], [e / (1 + 2 * e), 1 / (1 + 2 * e), e / (1 + 2 * e)]]
    np.testing.assert_allclose(logits, expected, rtol=1e-14)


@pytest.mark.parametrize("row", [0, 1900, 3999])
def test_a_bad_row_in_any_piece_of_work_is_told(row):
    logits = np.zeros((4000, 2200))  # more than two pieces of 2^22 numbers
    logits[row, 2199] = np.nan
    assert softmax_rows(logits) is False
    assert np.isnan(logits[row]).all()
    np.testing.assert_array_equal(np.delete(logits, row, axis=0), 1 / 2200)
