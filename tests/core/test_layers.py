"""Layers against NumPy, on the compiled kernels and beside them."""

import numpy as np
import pytest
from estimators import PUBLISHED
from scipy.sparse import csr_array
from scipy.special import softmax

from gemclus._core import layer_passes, layers
from gemclus.linear import LinearMMD
from gemclus.mlp import MLPMMD
from gemclus.sparse import SparseLinearMI, SparseMLPMMD

# Around the rows that kernels take together, their widest layer, their panels.
SHAPES = [(1, 1, 1), (3, 2, 3), (4, 5, 4), (150, 20, 10), (515, 3, 32), (9, 3, 33)]
SHAPES += [(70, 700, 3), (30, 800, 3)]
generator = np.random.RandomState(0)


def layer(shape, dtype):
    n, d, m = shape
    X, W, b = (
        generator.normal(size=(n, d)),
        generator.normal(size=(d, m)),
        np.ones((1, m)),
    )
    return [a.astype(dtype) for a in (X, W / np.sqrt(d), b * generator.normal(size=m))]


def tolerance(dtype):
    return (
        {"rtol": 1e-12, "atol": 1e-13}
        if dtype == np.float64
        else {"rtol": 2e-4, "atol": 2e-5}
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_of_an_affine_map(shape, dtype):
    X, W, b = layer(shape, dtype)
    expected = softmax(X.astype(float) @ W.astype(float) + b, axis=1)
    for samples in (X, np.asfortranarray(X), csr_array(X)):
        P = layers.softmax_affine(samples, W, b)
        assert P.dtype == dtype and P.flags.c_contiguous
        np.testing.assert_allclose(P, expected, **tolerance(dtype))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_of_an_affine_map(shape, dtype):
    X, W, b = layer(shape, dtype)
    P = layers.softmax_affine(X, W, b)
    G = generator.normal(size=P.shape).astype(dtype)
    exact = P.astype(float), G.astype(float), X.astype(float)
    T = -exact[0] * (exact[1] - (exact[0] * exact[1]).sum(axis=1, keepdims=True))
    expected = exact[2].T @ T, T.sum(axis=0, keepdims=True)
    for samples in (X, np.asfortranarray(X), csr_array(X)):
        for found in (
            layers.softmax_affine_backward(samples, P, G),
            layers.softmax_affine_backward(samples, P, np.asfortranarray(G)),
            layers.affine_backward(samples, T.astype(dtype)),
        ):
            assert [g.dtype for g in found] == [dtype, dtype]
            for gradient, of in zip(found, expected, strict=True):
                assert gradient.shape == of.shape
                np.testing.assert_allclose(gradient, of, **tolerance(dtype))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_next", [1, 3, 33, 200])
@pytest.mark.parametrize("shape", SHAPES)
def test_rectified_layers(shape, n_next, dtype):
    X, W, b = layer(shape, dtype)
    T = generator.normal(size=(shape[0], n_next)).astype(dtype)
    next_W = generator.normal(size=(shape[2], n_next)).astype(dtype) / np.sqrt(
        dtype(n_next)
    )
    exact = X.astype(float) @ W.astype(float) + b
    # Away from the kink, where rounding decides.
    b = b + dtype(0.01) * (np.abs(exact).min(axis=0) < 1e-4)
    exact = X.astype(float) @ W.astype(float) + b
    B = (T.astype(float) @ next_W.astype(float).T) * (exact > 0)
    for samples in (X, np.asfortranarray(X), csr_array(X)):
        H = layers.affine_relu(samples, W, b)
        np.testing.assert_allclose(H, np.maximum(exact, 0), **tolerance(dtype))
        found = layers.affine_relu_backward(samples, H, T, next_W)
        for gradient, of in zip(
            found, (X.T.astype(float) @ B, B.sum(axis=0, keepdims=True))
        ):
            assert gradient.dtype == dtype and gradient.shape == of.shape
            np.testing.assert_allclose(gradient, of, **tolerance(dtype))


def test_activations_that_are_not_finite_are_seen():
    X, W, b = layer((9, 4, 3), np.float64)
    W[0, 0] = np.nan
    assert np.isnan(layers.affine_relu(X, W, b)[:, 0]).all()
    assert not np.isfinite(layers.softmax_affine(X, W, b)).any()


def test_the_kernels_are_what_is_tested():
    X, W, b = layer((150, 20, 10), np.float64)
    P = layer_passes.softmax_affine(X, W, b)
    assert P is not None
    assert layer_passes.softmax_affine_backward(X, P, P) is not None
    assert layer_passes.affine_backward(X, P) is not None
    assert layer_passes.affine_relu(X, W, b) is not None
    assert layer_passes.affine_relu_backward(X, P, P, np.eye(10)) is not None
    assert layer_passes.softmax_affine(*layer((9, 3, 33), np.float64)) is None
    assert layer_passes.softmax_affine(*layer((30, 800, 3), np.float64)) is None


def test_layers_that_do_not_fit_are_refused():
    X, W, b = layer((6, 4, 3), np.float64)
    with pytest.raises(ValueError, match="columns"):
        layer_passes.softmax_affine(X[:, :3].copy(), W, b)
    with pytest.raises(ValueError, match="b must have 3 entries, got 2"):
        layer_passes.softmax_affine(X, W, b[:, :2].copy())
    with pytest.raises(ValueError, match="rows"):
        layer_passes.affine_backward(X[:5], np.ones((6, 3)))
    with pytest.raises(ValueError, match="gradient must have the shape"):
        layer_passes.softmax_affine_backward(X, np.ones((6, 3)), np.ones((6, 2)))
    with pytest.raises(ValueError, match="gradient must have the shape"):
        layer_passes.softmax_affine_backward(X, np.ones((6, 3)), np.ones(18))
    with pytest.raises(ValueError, match="layer after"):
        layer_passes.affine_relu_backward(
            X, np.ones((6, 3)), np.ones((6, 2)), np.ones((2, 2))
        )


def test_rows_may_be_taken_in_any_blocks():
    X, W, b = layer((130, 7, 5), np.float64)
    whole = layers.softmax_affine(X, W, b)
    parts = [layers.softmax_affine(X[i : i + 37], W, b) for i in range(0, 130, 37)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_mixed_precision():
    W, b = np.ones((2, 4), np.float32), np.full((1, 4), -0.5, np.float32)
    H = layers.affine_relu(np.eye(2), W, b)
    np.testing.assert_array_equal(H, np.full((2, 4), 0.5))
    P = layers.softmax_affine(np.eye(2), W, b)
    np.testing.assert_array_equal(P, np.full((2, 4), 0.25))
    H_mixed = layers.affine_relu(np.eye(2), W.astype(float), b)
    np.testing.assert_array_equal(H_mixed, np.full((2, 4), 0.5))
    for gradient in layers.softmax_affine_backward(np.eye(2, dtype=np.float32), P, H):
        np.testing.assert_array_equal(gradient, np.zeros(gradient.shape))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_gradients_stop_where_activations_are_zero(order, dtype):
    X = np.array([[1.0], [2.0]], dtype=dtype, order=order)
    H = np.array([[0.0, 2.0], [1e-30, 0.0]], dtype=dtype)
    T = np.array([[5.0, -6.0], [7.0, 9.0]], dtype=dtype, order=order)
    W, b = layers.affine_relu_backward(X, H, T, np.eye(2, dtype=dtype))
    np.testing.assert_array_equal(W, [[14.0, -6.0]])
    np.testing.assert_array_equal(b, [[7.0, -6.0]])


@pytest.mark.parametrize("name", ["softmax_affine", "affine_relu", "affine"])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, object, np.float16])
def test_parameters_that_are_not_floats_are_refused_by_name(name, dtype):
    X, W, b = layer((5, 3, 2), np.float64)
    function = getattr(layers, name)
    for samples in (X, X.astype(np.float32), csr_array(X)):
        with pytest.raises(TypeError, match="b must be an array of float"):
            function(samples, W, b.astype(dtype))
        with pytest.raises(TypeError, match="W must be an array of float"):
            function(samples, W.astype(dtype), b)
    with pytest.raises(TypeError, match="b must be an array of float.*list"):
        function(X, W, b.tolist())


def test_numbers_of_other_dtypes_are_never_read_as_floats():
    X, W, b = layer((5, 3, 2), np.float64)
    P = layers.softmax_affine(X, W, b)
    whole = np.ones((5, 2), np.int64)
    exact = layers.softmax_affine_backward(X, P, whole.astype(float))
    for gradient in (whole, whole.astype(object), whole.astype(np.float32)):
        found = layers.softmax_affine_backward(X, P, gradient)
        np.testing.assert_allclose(found[0], exact[0], atol=1e-7)
    # Bytes of another machine.
    swapped = b.astype(b.dtype.newbyteorder())
    with pytest.raises(TypeError, match="b must be an array of float"):
        layers.softmax_affine(X, W, swapped)
    integers = (10 * X).astype(np.int64)
    np.testing.assert_allclose(
        layers.softmax_affine(integers, W, b),
        layers.softmax_affine(integers.astype(float), W, b),
        rtol=1e-14,
    )


@pytest.mark.parametrize("model", [LinearMMD, MLPMMD, SparseLinearMI, SparseMLPMMD])
def test_models_name_a_bias_that_is_no_float(model):
    X = generator.normal(size=(40, 3))
    model = model(n_clusters=2, max_iter=2, random_state=0, **PUBLISHED).fit(X)
    name = "b_" if hasattr(model, "b_") else "b2_"
    bias = getattr(model, name)
    for dtype in (np.int64, object):
        setattr(model, name, np.rint(bias).astype(dtype))
        with pytest.raises(TypeError, match="b must be an array of float"):
            model.predict(X)


@pytest.mark.parametrize("fan_in", [1, 4])
def test_initial_weights_fill_their_interval(fan_in):
    bound = fan_in**-0.5
    W = layers.uniform_init(np.random.RandomState(0), fan_in, (20_000, 1), np.float64)
    assert -bound <= W.min() < -0.999 * bound
    assert 0.999 * bound < W.max() <= bound
