"""Memory that steps take again, and never while somebody holds it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from estimators import PUBLISHED

from gemclus._core import buffers
from gemclus.linear import LinearModel

SHAPE = (300, 100)


def address(array):
    return array.__array_interface__["data"][0]


def test_memory_is_taken_again_once_nobody_holds_it():
    with buffers.reuse():
        first = buffers.empty(SHAPE, np.float64)
        where = address(first)
        second = buffers.empty(SHAPE, np.float64)
        assert not np.shares_memory(first, second)
        del first
        assert address(buffers.empty((600, 50), np.float64)) == where


def test_a_view_keeps_its_memory():
    with buffers.reuse():
        view = buffers.empty(SHAPE, np.float64)[:, 3].reshape(-1, 2)
        others = [buffers.empty(SHAPE, np.float64) for _ in range(20)]
        assert not any(np.shares_memory(view, other) for other in others)
        del others
        assert not np.shares_memory(view, buffers.empty(SHAPE, np.float64))


def test_nothing_is_kept_outside_or_for_small_arrays():
    with buffers.reuse():
        kept = buffers.empty(SHAPE, np.float64)
        kept[:] = 1.0
        assert buffers.empty((3, 2), np.float32).base is None
    assert buffers.empty(SHAPE, np.float64).base is None
    assert (kept == 1.0).all()


def test_threads_do_not_share_memory():
    def fill(value):
        with buffers.reuse():
            for _ in range(50):
                array = buffers.empty(SHAPE, np.float64)
                array[:] = value
                assert (array == value).all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(8)))


def test_hooks_may_keep_what_they_were_given():
    class Keeping(LinearModel):
        def _compute_grads(self, X, y_pred, gradient):
            self.kept.append((y_pred, gradient, y_pred.copy(), gradient.copy()))
            return super()._compute_grads(X, y_pred, gradient)

    X = np.random.RandomState(0).normal(size=(20_000, 2))
    model = Keeping(n_clusters=3, max_iter=5, random_state=0, **PUBLISHED)
    model.kept = []
    model.fit(X)
    assert len(model.kept) == 5
    for y_pred, gradient, before, gradient_before in model.kept:
        np.testing.assert_array_equal(y_pred, before)
        np.testing.assert_array_equal(gradient, gradient_before)
