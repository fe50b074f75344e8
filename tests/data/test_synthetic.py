import numpy as np
import pytest

from gemclus.data import (
    celeux_one,
    celeux_two,
    draw_gmm,
    gstm,
    multivariate_student_t,
)

GENERATORS = {
    "gmm": lambda **k: draw_gmm(50, np.eye(2), [np.eye(2)] * 2, [0.5, 0.5], **k),
    "gstm": gstm,
    "celeux_one": celeux_one,
    "celeux_two": celeux_two,
}


@pytest.mark.parametrize("name", GENERATORS)
def test_seeds_and_random_states_agree(name):
    draw = GENERATORS[name]
    X, y = draw(random_state=3)
    again, labels = draw(random_state=np.random.RandomState(3))
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(y, labels)
    assert len(X) == len(y) and np.isfinite(X).all()
    assert draw(random_state=None)[0].shape == X.shape


def test_published_seeds_give_the_published_samples():
    # First entries and sums of the samples that the published results used.
    X, y = celeux_one(random_state=0)
    np.testing.assert_allclose(X[0, :2], [-1.10063063, -1.95631689], rtol=1e-7)
    assert X.shape == (300, 25) and y[:5].tolist() == [1, 2, 1, 1, 1]
    X, y = gstm(random_state=0)
    np.testing.assert_allclose(X[0], [-3.45138245, 1.96518986], rtol=1e-7)
    X, _ = draw_gmm(10, [[0.0], [1.0]], [[1.0], [2.0]], [0.5, 0.5], random_state=0)
    assert X.sum() == pytest.approx(4.3121058621877175)


def test_gmm_draws_each_component_in_turn():
    state = np.random.RandomState(5)
    y = state.choice(2, p=[0.3, 0.7], size=(20,))
    first = state.multivariate_normal([0, 0], np.eye(2), size=20)
    second = state.multivariate_normal([9, 9], 2 * np.eye(2), size=20)
    expected = np.where(y[:, None] == 0, first, second)
    X, labels = draw_gmm(
        20, [[0, 0], [9, 9]], [np.eye(2), 2 * np.eye(2)], [0.3, 0.7], 5
    )
    np.testing.assert_array_equal(X, expected)
    np.testing.assert_array_equal(labels, y)


def test_moments():
    X, y = celeux_one(n=20_000, p=2, random_state=0)
    for component, mean in enumerate([1.7, -1.7, 0]):
        members = X[y == component]
        np.testing.assert_allclose(members[:, :5].mean(axis=0), mean, atol=0.06)
        np.testing.assert_allclose(np.cov(members.T), np.eye(7), atol=0.06)
    X, y = celeux_two(n=20_000, random_state=0)
    slopes = np.linalg.lstsq(np.c_[np.ones(len(X)), X[:, :2]], X[:, 2:11], rcond=None)[
        0
    ]
    np.testing.assert_allclose(
        slopes[0], [0, 0, 0.4, 0.8, 1.2, 1.6, 2, 2.4, 2.8], atol=0.2
    )
    np.testing.assert_allclose(slopes[1], [0.5, 2, 0, -1, 2, 0.5, 4, 3, 2], atol=0.05)
    np.testing.assert_allclose(X[:, 11:].mean(axis=0), [3.2, 3.6, 4.0], atol=0.05)
    X = multivariate_student_t(50_000, [1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]], 10, 0)
    np.testing.assert_allclose(X.mean(axis=0), [1, 2], atol=0.05)
    np.testing.assert_allclose(np.cov(X.T), [[2.5, 0.625], [0.625, 1.25]], atol=0.06)
    X, y = gstm(n=40_000, alpha=3, df=5, random_state=0)
    for component, mean in enumerate([(3, 3), (3, -3), (-3, 3), (-3, -3)]):
        np.testing.assert_allclose(X[y == component].mean(axis=0), mean, atol=0.05)
        assert np.mean(y == component) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(n=0), "n must be at least"),
        (dict(loc=[0, 1]), "loc"),
        (dict(loc=[[0, np.nan], [1, 1]]), "loc must be finite"),
        (dict(scale=[np.eye(3)] * 2), "scale must have shape"),
        (dict(scale=[[[1, 2], [0, 1]]] * 2), "symmetric"),
        (dict(scale=[[[1e-9, 2e-9], [0, 1e-9]]] * 2), "symmetric"),
        (dict(scale=[-np.eye(2)] * 2), "positive semi-definite"),
        (dict(pvals=[0.5, 0.6]), "pvals"),
        (dict(pvals=[1.0]), "pvals"),
        (dict(pvals=[-0.5, 1.5]), "pvals"),
    ],
)
def test_bad_mixtures_are_refused(arguments, message):
    good = dict(n=5, loc=np.eye(2), scale=[np.eye(2)] * 2, pvals=[0.5, 0.5])
    with pytest.raises(ValueError, match=message):
        draw_gmm(**(good | arguments))


def test_other_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="n must be an int"):
        celeux_one(n=3.5)
    with pytest.raises(ValueError, match="p must be at least"):
        celeux_one(p=-1)
    with pytest.raises(ValueError, match="df must be greater"):
        gstm(df=0)
    with pytest.raises(ValueError, match="scale must have shape"):
        multivariate_student_t(5, [0, 0], [[1.0]])
    with pytest.raises(ValueError, match="standard deviations"):
        draw_gmm(5, [[0.0]], [[-1.0]], [1.0])
