"""Forward and backward passes of layers."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from gemclus import _layers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, csr_array])
def test_affine_relu(dtype, container):
    random = np.random.RandomState(0)
    X, W, b = (random.normal(size=s).astype(dtype) for s in [(7, 3), (3, 5), (1, 5)])
    out = _layers.affine_relu(container(X), W, b)
    assert out.dtype == dtype
    expected = np.maximum(X.astype(float) @ W + b, 0)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    assert (out == 0).any()


def test_affine_relu_of_mixed_precision():
    W, b = np.ones((2, 4), np.float32), np.full((1, 4), -0.5, np.float32)
    out = _layers.affine_relu(np.eye(2), W, b)
    np.testing.assert_array_equal(out, np.full((2, 4), 0.5))


def test_relu_keeps_nan():
    out = _layers.affine_relu(np.array([[np.nan]]), np.ones((1, 2)), np.zeros((1, 2)))
    assert np.isnan(out).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relu_backward(dtype):
    H = np.array([[0.0, 2.0], [1e-30, 0.0]], dtype=dtype)
    B = np.array([[5.0, -6.0], [7.0, np.inf]], dtype=dtype)
    out = _layers.relu_backward(H, B)
    assert out is B
    np.testing.assert_array_equal(out, [[0.0, -6.0], [7.0, 0.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_affine_backward(dtype):
    random = np.random.RandomState(0)
    X, T = (random.normal(size=shape).astype(dtype) for shape in [(7, 3), (7, 5)])
    W, b = _layers.affine_backward(X, T)
    assert W.dtype == b.dtype == dtype
    np.testing.assert_allclose(W, X.T @ T, rtol=1e-6)
    np.testing.assert_allclose(b, T.sum(axis=0, keepdims=True), rtol=1e-5, atol=1e-6)
