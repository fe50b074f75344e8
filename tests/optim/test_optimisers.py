import numpy as np
import pytest

from gemclus.optim import LBFGS, SGD, Adam
from gemclus.optim._steps import nesterov

generator = np.random.RandomState(0)


def textbook_adam(w, gradients, lr):
    m = v = np.zeros_like(w)
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        step = lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - step * m / (np.sqrt(v) + 1e-8)
    return w


def textbook_nesterov(w, gradients, lr):
    u = np.zeros_like(w)
    for g in gradients:
        u = 0.9 * u - lr * g
        w = w + 0.9 * u - lr * g
    return w


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("optimiser", "textbook"), [(Adam, textbook_adam), (SGD, textbook_nesterov)]
)
def test_steps_are_the_textbook_ones_in_place(optimiser, textbook, dtype):
    w = generator.normal(size=(3, 2)).astype(dtype)
    b = generator.normal(size=(1, 2)).astype(dtype)
    gradients = [
        [generator.normal(size=p.shape).astype(dtype) for p in (w, b)] for _ in range(5)
    ]
    expected = [
        textbook(p.astype(float), [np.asarray(g[i], float) for g in gradients], 0.1)
        for i, p in enumerate((w, b))
    ]
    stepper = optimiser(0.1)
    for grads in gradients:
        stepper.update_params([w, b], grads)
    assert w.dtype == dtype
    np.testing.assert_allclose(
        w, expected[0], rtol=1e-12 if dtype == np.float64 else 1e-4
    )
    np.testing.assert_allclose(
        b, expected[1], rtol=1e-12 if dtype == np.float64 else 1e-4
    )
    assert stepper.learning_rate == 0.1 and stepper.step_size > 0


def test_arrays_of_any_layout_are_updated():
    base = np.zeros((4, 6))
    views = [base[::2, ::3], np.zeros((3, 2), order="F"), np.zeros(())]
    SGD(1.0).update_params(views, [np.ones(v.shape) for v in views])
    for view in views:
        np.testing.assert_allclose(view, -1.9)
    assert base[1].sum() == 0 and base[0, 1] == 0


def test_lbfgs_minimises_in_place_and_counts():
    target = generator.normal(size=(3, 2))
    w, b = np.zeros((3, 2)), np.zeros(2, dtype=np.float32)
    values = []

    def evaluate():
        value = ((w - target) ** 2).sum() + ((b - 1) ** 4).sum()
        return value, [2 * (w - target), 4 * (b - 1) ** 3]

    assert LBFGS().minimise(evaluate, [w, b], 200, lambda value: values.append(value))
    np.testing.assert_allclose(w, target, atol=1e-5)
    np.testing.assert_allclose(b, 1, atol=0.05)
    assert values == sorted(values, reverse=True)
    w[:] = 0
    LBFGS().minimise(evaluate, [w, b], 200, lambda value: True)
    assert 0 < np.abs(w).max() < np.abs(target).max() * 2


def test_lbfgs_gets_past_kinks():
    w = np.array([3.0, -2.0, 1.0])

    def evaluate():
        return np.abs(w).sum() + (w[0] - w[1]) ** 2, [
            np.sign(w) + 2 * (w[0] - w[1]) * np.array([1, -1, 0])
        ]

    LBFGS().minimise(evaluate, [w], 500, lambda value: False)
    assert evaluate()[0] < 1e-2


@pytest.mark.parametrize("place", range(3))
def test_arrays_of_a_step_must_be_of_one_size(place):
    sizes = [4, 4, 4]
    sizes[place] = 3
    w, gradient, velocity = (np.ones(size) for size in sizes)
    with pytest.raises(ValueError, match="of one size"):
        nesterov([w], [gradient], [velocity], 0.1, 0.9)
    np.testing.assert_array_equal(w, 1.0)


def test_gradients_of_another_precision_are_left_to_numpy():
    w, velocity = np.ones(4), np.zeros(4)
    assert nesterov([w], [np.ones(4, np.float32)], [velocity], 0.1, 0.9) is False
    np.testing.assert_array_equal(w, 1.0)


@pytest.mark.parametrize("call", range(2, 30))
def test_whatever_ends_lbfgs_its_weights_are_no_trial_point(call):
    w, calls, accepted = np.array([-1.2, 1.0]), 0, [np.array([-1.2, 1.0])]

    def evaluate():
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        a, b = 1.0 - w[0], w[1] - w[0] ** 2
        slope = np.array([-2.0 * a - 400.0 * w[0] * b, 200.0 * b])
        return a**2 + 100.0 * b**2, [slope]

    def accept(value):
        accepted.append(w.copy())
        return False

    with pytest.raises(KeyboardInterrupt):
        LBFGS().minimise(evaluate, [w], 100, accept)
    np.testing.assert_array_equal(w, accepted[-1])
