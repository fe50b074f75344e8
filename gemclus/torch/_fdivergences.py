"""The f-divergence objectives in torch operations.

Each formula takes probabilities ``P`` (..., n, K), their logarithms, the
proportions ``pi`` (..., 1, K) and the `Rows` of the batch, and returns the values
(...,). The formulas are those of `gemclus.gemini`; O(n K) each, TV OvO
O(n K log K).
"""

from __future__ import annotations

import torch


def kl_ova(P, log_P, pi, rows):
    entropies = rows.mean(P * log_P) - (pi * pi.log()).squeeze(-2)
    return entropies.sum(-1)


def kl_ovo(P, log_P, pi, rows):
    return (rows.mean(P * log_P) - pi.squeeze(-2) * rows.mean(log_P)).sum(-1)


def tv_ova(P, log_P, pi, rows):
    return 0.5 * rows.mean((P - pi).abs()).sum(-1)


def tv_ovo(P, log_P, pi, rows):
    """``sum_ik P_ik c_ik``, with ``c_ik`` the pi of the clusters whose ratio
    ``P / pi`` is below that of k in row i, minus the pi of those above."""
    with torch.no_grad():
        below, above = _sorted_sums(P / pi, pi.expand_as(P), P)
        c = below[0] - above[0]
        slope = rows.mean(above[1] - below[1])
    # The order of the clusters is constant: c is linear in pi.
    proportions = pi.squeeze(-2)
    moved = (slope * (proportions - proportions.detach())).sum(-1)
    return rows.mean(P * c).sum(-1) + moved


def _sorted_sums(ratios, *terms):
    """For each entry, the sums of `terms` over the entries of its row with a
    smaller ratio, and over those with a larger one. Cost O(n K log K)."""
    ordered, order = ratios.contiguous().sort(dim=-1)
    first = torch.searchsorted(ordered, ratios.contiguous())
    last = torch.searchsorted(ordered, ratios.contiguous(), right=True)
    below, above = [], []
    for term in terms:
        sums = torch.nn.functional.pad(term.gather(-1, order).cumsum(-1), (1, 0))
        below.append(sums.gather(-1, first))
        above.append(sums[..., -1:] - sums.gather(-1, last))
    return below, above


def hellinger_ova(P, log_P, pi, rows):
    return 1.0 - (pi.sqrt().squeeze(-2) * rows.mean(P.sqrt())).sum(-1)


def hellinger_ovo(P, log_P, pi, rows):
    affinity = (P * pi).sqrt().sum(-1, keepdim=True)
    return 1.0 - rows.mean(affinity.square()).squeeze(-1)


def chi2_ova(P, log_P, pi, rows):
    return 0.5 * ((rows.mean(P.square()) / pi.squeeze(-2)).sum(-1) - 1.0)


def chi2_ovo(P, log_P, pi, rows):
    a = (P.square() / pi).sum(-1, keepdim=True)
    b = (pi.square() / P).sum(-1, keepdim=True)
    return 0.5 * (rows.mean(a * b).squeeze(-1) - 1.0)


FORMULAS = {
    "kl_ova": kl_ova,
    "kl_ovo": kl_ovo,
    "tv_ova": tv_ova,
    "tv_ovo": tv_ovo,
    "hellinger_ova": hellinger_ova,
    "hellinger_ovo": hellinger_ovo,
    "chi2_ova": chi2_ova,
    "chi2_ovo": chi2_ovo,
}
