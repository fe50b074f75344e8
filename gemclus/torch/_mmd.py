"""The MMD objectives in torch operations.

``P`` is (..., n, K), `pi` (..., 1, K); the values are (...,).
"""

from __future__ import annotations

import torch


def factored(P, pi, Z, rows, ovo):
    """MMD from a factor Z (n, r) of the kernel. O(n r K), OvO also O(r K^2)."""
    with torch.no_grad():
        # One shift for all processes: an offset of the data costs no digits.
        Z = Z - rows.mean(Z)
    moments = rows.mean_of_products(Z, P)
    if not ovo:
        return _root(moments.square().sum(-2)).sum(-1)
    centroids = (moments / pi).mT.contiguous()
    # Without products: coinciding centroids are at distance 0 to rounding.
    mode = "donot_use_mm_for_euclid_dist"
    distances = torch.cdist(centroids, centroids, compute_mode=mode)
    return _mix(distances, pi)


def dense(P, pi, kappa, rows, ovo):
    """MMD from the kernel (n, n) of the whole batch. O(n^2 K), OvO also O(n K^2)."""
    centred = (P - pi) * rows.shares
    if not ovo:
        return _root((centred * (kappa @ centred)).sum(-2)).sum(-1)
    weights = centred / pi
    images = kappa @ weights
    squares = [
        ((weights[..., k : k + 1] - weights) * (images[..., k : k + 1] - images)).sum(
            -2
        )
        for k in range(P.shape[-1])
    ]
    return _mix(_root(torch.stack(squares, -2)), pi)


def _mix(distances, pi):
    return (pi.mT * distances * pi).sum((-2, -1))


def _root(squares):
    """Square roots, which are 0 with derivative 0 at 0 and below."""
    positive = squares > 0
    return torch.where(positive, squares, 1.0).sqrt() * positive
