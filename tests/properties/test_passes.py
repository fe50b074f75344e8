"""Layers and passes over arrays against NumPy, whatever the sizes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    LAYOUTS,
    dtypes,
    examples,
    few,
    layouts,
    predictions,
    seeds,
    sizes,
    tolerance,
)

from gemclus._core import array_passes, layers
from gemclus._core.softmax_passes import softmax_backward, softmax_rows


@given(seed=seeds, n=sizes, d=sizes, m=sizes, dtype=dtypes, layout=layouts)
@examples(60)
def test_products_of_layers(seed, n, d, m, dtype, layout):
    rng = np.random.default_rng(seed)
    X, T = rng.normal(size=(n, d)), rng.normal(size=(n, m))
    W, b = rng.normal(size=(d, m)) / np.sqrt(d), rng.normal(size=(1, m))
    X, T, W, b = (a.astype(dtype) for a in (X, T, W, b))
    exact = [a.astype(np.float64) for a in (X, T, W, b)]
    laid = LAYOUTS[layout](X)
    bound = 100 * tolerance(dtype)
    expected = exact[0] @ exact[2] + exact[3]
    np.testing.assert_allclose(layers.affine(laid, W, b), expected, atol=bound)
    relu = layers.affine_relu(laid, W, b)
    np.testing.assert_allclose(relu, np.maximum(expected, 0), atol=bound)
    weights, bias = layers.affine_backward(laid, LAYOUTS[layout](T))
    np.testing.assert_allclose(weights, exact[0].T @ exact[1], atol=bound)
    np.testing.assert_allclose(bias[0], exact[1].sum(axis=0), atol=bound)


@given(seed=seeds, n=sizes, k=sizes, shift=st.sampled_from([-700.0, -1.0, 3.0, 1e4]))
@examples(40)
def test_softmax_does_not_see_what_a_row_has_in_common(seed, n, k, shift):
    rng = np.random.default_rng(seed)
    # Multiples of 1/64: the shift is exact.
    logits = np.round(64 * rng.normal(size=(n, k))) / 64
    plain, shifted = logits.copy(), logits + shift * rng.integers(0, 2, size=(n, 1))
    assert softmax_rows(plain) and softmax_rows(shifted)
    np.testing.assert_array_equal(shifted, plain)
    np.testing.assert_allclose(plain.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_array_equal(plain.argmax(axis=1), logits.argmax(axis=1))


@given(seed=seeds, n=sizes, k=sizes, dtype=dtypes)
@examples(40)
def test_slopes_of_softmax_sum_to_zero_and_are_linear(seed, n, k, dtype):
    rng = np.random.default_rng(seed)
    P = predictions(rng, n, k).astype(dtype)
    G, F = (rng.normal(size=(n, k)).astype(dtype) for _ in range(2))
    T = softmax_backward(P, G)
    atol = 20 * tolerance(dtype)
    np.testing.assert_allclose(T.sum(axis=1, dtype=float), 0, atol=atol)
    together = softmax_backward(P, G + 2 * F)
    np.testing.assert_allclose(together, T + 2 * softmax_backward(P, F), atol=atol)
    # A number added to all derivatives of a row is no direction.
    moved = softmax_backward(P, G + dtype(1.0))
    np.testing.assert_allclose(moved, T, atol=atol)


@given(seed=seeds, n=sizes, k=sizes, dtype=dtypes, gap=st.sampled_from([-3.0, 3.0]))
@examples(60)
def test_any_entry_may_spoil_probabilities(seed, n, k, dtype, gap):
    rng = np.random.default_rng(seed)
    P = predictions(rng, n, k).astype(dtype)
    assert array_passes.are_probabilities(P, 1e-4)
    i, j = rng.integers(n), rng.integers(k)
    for bad in (P[i, j] + gap * 1e-4, np.nan, np.inf, -np.inf):
        Q = P.copy()
        Q[i, j] = bad
        assert not array_passes.are_probabilities(Q, 1e-4)
    if k > 1:  # a negative one, in a row that sums to 1
        other = (j + 1 + rng.integers(k - 1)) % k
        Q = P.copy()
        Q[i, other] += Q[i, j] + dtype(2e-4)
        Q[i, j] = -2e-4
        assert not array_passes.are_probabilities(Q, 1e-4)


@given(seed=seeds, n=sizes, k=sizes, dtype=dtypes)
@examples(40)
def test_the_first_of_the_largest(seed, n, k, dtype):
    rng = np.random.default_rng(seed)
    P = rng.integers(0, 3, size=(n, k)).astype(dtype)
    np.testing.assert_array_equal(array_passes.largest(P), P.argmax(axis=1))


@given(seed=seeds, shapes=st.lists(st.tuples(few, sizes), min_size=1, max_size=4))
@examples(60)
def test_any_entry_may_be_not_finite(seed, shapes):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape) for shape in shapes]
    assert array_passes.first_not_finite(arrays) == -1
    copies = [np.empty_like(array) for array in arrays]
    array_passes.copy_all(arrays, copies)
    for array, copy in zip(arrays, copies):
        np.testing.assert_array_equal(copy, array)
    position = int(rng.integers(len(arrays)))
    copies[position].flat[rng.integers(copies[position].size)] = rng.choice(
        [np.nan, np.inf, -np.inf]
    )
    assert array_passes.first_not_finite(copies) == position
