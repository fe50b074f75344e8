import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.datasets import load_iris

from gemclus.linear import LinearMMD, LinearModel, LinearWasserstein

iris = load_iris().data


def test_published_scores():
    model = LinearMMD(random_state=0, **PUBLISHED).fit(iris)
    assert model.score(iris) == pytest.approx(1.7048160115, rel=1e-9)
    assert model.n_iter_ == 1000
    model = LinearModel(gemini="mmd_ovo", random_state=0, **PUBLISHED).fit(iris)
    assert model.score(iris) == pytest.approx(1.7550724287, rel=1e-9)
    # The path depends on which of several dual potentials a solver returns.
    model = LinearWasserstein(random_state=0, **PUBLISHED).fit(iris)
    assert model.score(iris) == pytest.approx(1.7103992986, rel=1e-6)


def test_shapes_and_initial_draws():
    model = LinearModel(
        4, max_iter=1, learning_rate=1e-300, random_state=3, **PUBLISHED
    ).fit(iris)
    state = np.random.RandomState(3)
    np.testing.assert_array_equal(model.W_, state.uniform(-0.5, 0.5, size=(4, 4)))
    np.testing.assert_array_equal(model.b_, state.uniform(-0.5, 0.5, size=(1, 4)))


def test_an_offset_of_the_data_gives_the_same_objective():
    model = LinearMMD(random_state=0, max_iter=50, **PUBLISHED).fit(iris)
    y_pred = model.predict_proba(iris)
    gemini = model.get_gemini()
    value = gemini.evaluate(y_pred, gemini._training_affinity(iris))
    shifted = gemini.evaluate(y_pred, gemini._training_affinity(iris + 1e8))
    assert shifted == pytest.approx(value, rel=1e-6)


def test_memory_of_a_full_batch_step_stays_below_four_arrays():
    import tracemalloc

    X = np.random.RandomState(0).normal(size=(200_000, 20))
    model = LinearMMD(n_clusters=10, max_iter=2, random_state=0, **PUBLISHED)
    tracemalloc.start()
    model.fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 200_000 * 10 * 8


def test_memory_of_minibatches_does_not_grow_with_the_data():
    import tracemalloc

    X = np.random.RandomState(0).normal(size=(100_000, 10))
    model = LinearMMD(
        n_clusters=3, max_iter=1, batch_size=500, kernel="rbf", **PUBLISHED
    )
    tracemalloc.start()
    model.fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Predictions and labels of all samples; nothing of N x N.
    assert peak < 20e6
