"""Objectives that NumPy and the package's solver evaluate, inside a torch graph."""

from __future__ import annotations

import inspect

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from gemclus.affinity import Distances, distance_affinity
from gemclus.gemini import WassersteinGEMINI


class NumpyValue(torch.autograd.Function):
    """``evaluate(P)`` with its gradient: float64 on the CPU, whatever P is."""

    @staticmethod
    def forward(ctx, P, evaluate):
        value, gradient = evaluate(P.detach().to("cpu", torch.float64).numpy())
        ctx.save_for_backward(torch.as_tensor(gradient).to(P))
        return P.new_tensor(value)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        (slope,) = ctx.saved_tensors
        return gradient * slope, None


def by_heads(P, evaluate):
    """`evaluate` on each of the stacked (n, K) predictions."""
    if P.ndim == 2:
        return NumpyValue.apply(P, evaluate)
    return torch.stack([NumpyValue.apply(head, evaluate) for head in P])


def wasserstein(P, distances, shares, ovo):
    """Exact Wasserstein objectives, O(n^2 log n) in practice for each problem.

    Parameters
    ----------
    P : tensor of shape (..., n, K)
        Clipped probabilities.
    distances : Distances
        Between the n samples of the whole batch.
    shares : tensor of shape (n, 1) or float
        Weights of the samples, which sum to 1.
    """
    if not isinstance(shares, torch.Tensor):
        gemini = WassersteinGEMINI(ovo=ovo, epsilon=0.0)
        return by_heads(P, lambda y: gemini.evaluate(y, distances, return_grad=True))
    # The solver weighs all samples alike, but takes any entries of P: those of
    # omega P are the masses of the weighted samples.
    masses = P * shares
    scale = masses.detach().amax()
    masses = masses / scale
    if ovo:
        gemini = WassersteinGEMINI(ovo=True, epsilon=0.0)
        values = by_heads(masses, lambda y: gemini.evaluate(y, distances, True))
        return values * (scale * P.shape[-2]) ** 2
    return _against_all(P * shares, shares, distances)


def _against_all(masses, shares, distances):
    """``sum_k pi_k W(w_k, omega)``: each cluster and the data as a pair of clusters."""
    n = masses.shape[-2]
    pair = WassersteinGEMINI(ovo=True, epsilon=0.0)
    scale = shares.amax()
    everything = (shares / scale).expand(*masses.shape[:-1], 1)
    total = 0.0
    for k in range(masses.shape[-1]):
        both = torch.cat([masses[..., k : k + 1] / scale, everything], -1)
        values = by_heads(both, lambda y: pair.evaluate(y, distances, return_grad=True))
        # Of the pair: 2 pi_k 1 W(w_k, omega), in units of the scale.
        total = total + 0.5 * values * (scale * n) ** 2
    return total


def distances_of(X, metric, metric_params):
    """The distances between the samples of a batch, as the solver takes them."""
    array = X.to("cpu", torch.float64).numpy()
    return distance_affinity(array, metric, metric_params)


def given_distances(affinity):
    """The same from what a user gives as `affinity`."""
    if isinstance(affinity, Distances):
        return affinity
    if isinstance(affinity, torch.Tensor):
        affinity = affinity.detach().cpu().numpy()
    return Distances(np.ascontiguousarray(affinity, dtype=np.float64))


def evaluate_own(gemini, P, X, affinity, weight):
    """A user's own GEMINI, on NumPy arrays."""
    if affinity is None:
        array = None if X is None else X.to("cpu", torch.float64).numpy()
        affinity = gemini.compute_affinity(array)
    arguments = {"return_grad": True}
    if weight is not None:
        if "sample_weight" not in inspect.signature(gemini.evaluate).parameters:
            raise ValueError(
                f"sample_weight needs an objective whose evaluate takes it, which "
                f"{type(gemini).__name__} does not"
            )
        arguments["sample_weight"] = weight.to("cpu", torch.float64).numpy()
    return by_heads(P, lambda y: gemini.evaluate(y, affinity, **arguments))
