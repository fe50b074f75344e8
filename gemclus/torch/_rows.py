"""The rows of a batch: their shares of the whole, and sums over all processes."""

from __future__ import annotations

import torch
from torch import distributed
from torch.nn import functional


class Rows:
    """Weighted means over the rows of a batch, which several processes may share.

    Parameters
    ----------
    predictions : tensor of shape (..., n, K)
        What the batch looks like: n, the dtype and the device.
    weight : tensor of shape (n,) or None
        Weights of the rows; None gives all the same.
    group : ProcessGroup or None
        The processes that share the batch; None for this one alone.

    Attributes
    ----------
    shares : tensor of shape (n, 1) or float
        Weight of each row divided by the weight of the whole batch.
    """

    def __init__(self, predictions, weight, group):
        self.group = group
        n_rows = predictions.shape[-2]
        self.weight = weight
        if weight is None and group is None:
            self.shares = 1.0 / n_rows
            return
        total = (
            predictions.new_tensor(float(n_rows)) if weight is None else weight.sum()
        )
        total = all_reduce(total, group)
        if not total > 0:
            raise ValueError("sample_weight must not be all zero")
        self.shares = 1.0 / total if weight is None else (weight / total)[:, None]

    def mean(self, terms):
        """Weighted mean over the rows of the whole batch: (..., n, K) to (..., K)."""
        if self.weight is None:
            sums = terms.sum(-2) * self.shares
        else:
            sums = (terms * self.shares).sum(-2)
        return all_reduce(sums, self.group)

    def mean_of_products(self, Z, P):
        """Weighted mean of the products ``z_i p_i^T``: (n, r), (..., n, K) to
        (..., r, K)."""
        return all_reduce(Z.mT @ (P * self.shares), self.group)


class _AllReduce(torch.autograd.Function):
    """Sum over processes, whose derivative is the sum of theirs."""

    @staticmethod
    def forward(ctx, tensor, group):
        ctx.group = group
        total = tensor.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx, gradient):
        return _AllReduce.apply(gradient, ctx.group), None


def all_reduce(tensor, group):
    """The sum of `tensor` over the processes of `group`; itself without a group."""
    return tensor if group is None else _AllReduce.apply(tensor, group)


def gather_rows(tensor, group):
    """The rows of all processes, in the order of their ranks, from (..., n, m).

    They may hold different numbers of rows. Cost O(N m) numbers sent, with N the
    rows of all.
    """
    if group is None:
        return tensor
    counts = torch.zeros(
        distributed.get_world_size(group), dtype=torch.int64, device=tensor.device
    )
    rank = distributed.get_rank(group)
    counts[rank] = tensor.shape[-2]
    distributed.all_reduce(counts, group=group)
    before, after = int(counts[:rank].sum()), int(counts[rank + 1 :].sum())
    return all_reduce(functional.pad(tensor, (0, 0, before, after)), group)


def sharing_group(process_group):
    """The processes that share each batch, or None where there is but one.

    Parameters
    ----------
    process_group : ProcessGroup, None or False
        None is the default group, where one is initialised; False is none.
    """
    if process_group is False or not distributed.is_available():
        return None
    if not distributed.is_initialized():
        return None
    group = distributed.group.WORLD if process_group is None else process_group
    return group if distributed.get_world_size(group) > 1 else None
