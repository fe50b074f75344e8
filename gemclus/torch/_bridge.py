"""Objectives that NumPy and the package's solver evaluate, inside a torch graph."""

from __future__ import annotations

import inspect

import numpy as np
import torch
from scipy.sparse import issparse
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


def wasserstein(P, distances, weight, ovo):
    """Exact Wasserstein objectives, O(n^2 log n) in practice for each problem.

    Parameters
    ----------
    P : tensor of shape (..., n, K)
        Clipped probabilities.
    distances : Distances
        Between the n samples of the whole batch.
    weight : tensor of shape (n,) or None
        Weights of the samples.
    """
    gemini = WassersteinGEMINI(ovo=ovo, epsilon=0.0)
    weight = None if weight is None else weight.to("cpu", torch.float64).numpy()
    return by_heads(P, lambda y: gemini.evaluate(y, distances, True, weight))


def distances_of(X, metric, metric_params):
    """The distances between the samples of a batch, as the solver takes them."""
    array = X.to("cpu", torch.float64).numpy()
    return distance_affinity(array, metric, metric_params)


def given_distances(affinity):
    """The same from what a user gives as `affinity`."""
    if isinstance(affinity, Distances):
        return affinity
    if issparse(affinity):
        raise TypeError("affinity must be a dense array of distances, got a sparse one")
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
