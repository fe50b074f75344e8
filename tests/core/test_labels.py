"""The largest probability of each row, by blocks."""

import numpy as np
import pytest
from estimators import PUBLISHED

from gemclus import _base
from gemclus._core.array_passes import largest
from gemclus.linear import LinearModel


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (1, 7), (300, 10)])
def test_largest_is_argmax(shape, dtype):
    # Few values, so that ties abound; both zeros are equal.
    P = np.random.RandomState(0).choice([-1.0, -0.0, 0.0, 0.5, np.inf], shape)
    P = P.astype(dtype)
    np.testing.assert_array_equal(largest(P), P.argmax(axis=1))
    assert largest(P).dtype == np.intp


@pytest.mark.parametrize("n_samples", [7, 8, 9, 50])
def test_blocks_change_nothing(n_samples, monkeypatch):
    X = np.random.RandomState(0).normal(size=(50, 4))
    model = LinearModel(
        3, max_iter=5, learning_rate=0.1, random_state=0, **PUBLISHED
    ).fit(X)
    expected = model.predict_proba(X).argmax(axis=1)
    np.testing.assert_array_equal(model.labels_, expected)
    monkeypatch.setattr(_base, "_PREDICTED_AT_ONCE", 24)  # 8 samples
    labels = model.predict(X[:n_samples])
    np.testing.assert_array_equal(labels, expected[:n_samples])
