"""Weights of samples, and what is made of them."""

import numpy as np
import pytest

from gemclus._common.weights import weighted_quantiles

LEVELS = [0.0, 0.25, 1 / 3, 0.5, 0.8, 1.0]


def test_weighted_quantiles_are_those_of_repeated_numbers():
    rng = np.random.RandomState(0)
    for n in (1, 2, 7, 30):
        values = rng.normal(size=n).round(1)
        times = rng.randint(0, 4, size=n)
        times[0] = 1
        repeated = np.repeat(values, times)
        expected = weighted_quantiles(repeated, LEVELS)
        for weights in (times, times * 0.1, times * 2.0**-40):
            found = weighted_quantiles(values, LEVELS, weights)
            np.testing.assert_array_equal(found, expected)
        median = weighted_quantiles(values, [0.5], times)
        assert median == pytest.approx(np.median(repeated))


def test_quantiles_are_means_of_two_where_both_are_one():
    numbers = np.array([3.0, 1.0, 2.0, 4.0])
    found = weighted_quantiles(numbers, LEVELS)
    np.testing.assert_array_equal(found, [1.0, 1.5, 2.0, 2.5, 4.0, 4.0])
    expected = np.quantile(numbers, LEVELS, method="averaged_inverted_cdf")
    np.testing.assert_array_equal(found, expected)
