"""The covariances of the published samples, entry by entry."""

import numpy as np

from gemclus.data import celeux_two

SLOPES = [
    (0.5, 1),
    (2, 0),
    (0, 3),
    (-1, 2),
    (2, -4),
    (0.5, 0),
    (4, 0.5),
    (3, 0),
    (2, 1),
]


def rotated(degrees, variances):
    angle = np.deg2rad(degrees)
    R = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return np.transpose(R) @ np.diag(variances) @ R


def test_the_noise_of_redundant_columns():
    X, _ = celeux_two(n=60_000, random_state=0)
    noise = X[:, 2:11] - X[:, :2] @ np.transpose(SLOPES)
    np.testing.assert_allclose(noise.mean(axis=0), 0.4 * np.r_[0, 0, 1:8], atol=0.05)
    expected = np.zeros((9, 9))
    expected[:3, :3], expected[3:5, 3:5] = np.eye(3), 0.5 * np.eye(2)
    expected[5:7, 5:7], expected[7:, 7:] = rotated(60, (1, 3)), rotated(30, (2, 6))
    np.testing.assert_allclose(np.cov(noise.T), expected, atol=0.12)
    independent = X[:, 11:]
    np.testing.assert_allclose(independent.mean(axis=0), [3.2, 3.6, 4.0], atol=0.03)
    np.testing.assert_allclose(np.cov(independent.T), np.eye(3), atol=0.03)
    between = np.corrcoef(noise.T, independent.T)[:9, 9:]
    np.testing.assert_allclose(between, 0, atol=0.02)
