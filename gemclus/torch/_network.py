"""The network that a training moves: a module, and heads on it."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Network(nn.Module):
    """A trunk and the linear heads on it, as one layer; or a module that needs none.

    Parameters
    ----------
    trunk : nn.Module
        (n, ...) to (n, `n_features`), or to (n, `n_clusters`) where it ends in them.
    n_features : int or None
        Width of the trunk; None where there is no head to add.
    n_clusters : int
        K.
    n_heads : int
        Heads of K outputs.
    n_auxiliary : int
        Outputs of one more head, which only the training knows; 0 is none.
    """

    def __init__(self, trunk, n_features, n_clusters, n_heads=1, n_auxiliary=0):
        super().__init__()
        self.trunk = trunk
        self.n_clusters, self.n_heads = n_clusters, n_heads
        self.n_auxiliary = n_auxiliary
        self.heads = None
        if n_features is not None:
            n_outputs = n_heads * n_clusters + n_auxiliary
            self.heads = nn.Linear(n_features, n_outputs)

    @property
    def is_plain(self):
        """Whether the output is one head, (n, K), and not a tuple of stacks."""
        return self.n_heads == 1 and not self.n_auxiliary

    def forward(self, X):
        """Logits (n, K); or a tuple of stacks (H, n, K) and (1, n, M)."""
        outputs = self.trunk(X)
        if self.heads is None:
            return outputs
        outputs = self.heads(outputs)
        if self.is_plain:
            return outputs
        n, width = len(outputs), self.n_heads * self.n_clusters
        main = outputs[:, :width].reshape(n, self.n_heads, self.n_clusters)
        stacks = (main.transpose(0, 1),)
        if self.n_auxiliary:
            stacks += (outputs[None, :, width:],)
        return stacks

    def single(self, head):
        """A module of the trunk, shared, and a copy of one head: (n, ...) to (n, K)."""
        if self.heads is None:
            return self.trunk
        rows = slice(head * self.n_clusters, (head + 1) * self.n_clusters)
        weight, bias = self.heads.weight[rows], self.heads.bias[rows]
        layer = nn.utils.skip_init(
            nn.Linear, weight.shape[1], self.n_clusters, dtype=weight.dtype
        ).to(weight.device)
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        return nn.Sequential(self.trunk, layer)


def make_network(module, X, n_clusters, n_heads, n_auxiliary, pretrained):
    """A new network around a copy of `module`, with new weights from torch's seed.

    Parameters
    ----------
    module : nn.Module
        The user's, which stays as it is.
    X : tensor of shape (n, ...)
        Two samples or more, by which the width of the module is found.
    n_clusters, n_heads, n_auxiliary : int
        As in `Network`.
    pretrained : bool
        Whether the weights of the module are kept; else those that require a
        gradient are drawn anew, by the `reset_parameters` of their layers.
    """
    trunk = copy.deepcopy(module)
    trunk.train()
    width = _width(trunk, X)
    if not pretrained:
        for layer in trunk.modules():
            own = list(layer.parameters(recurse=False))
            if own and all(p.requires_grad for p in own):
                getattr(layer, "reset_parameters", lambda: None)()
    plain = n_heads == 1 and not n_auxiliary
    if width == n_clusters and not plain:
        raise ValueError(
            f"module ends in n_clusters={n_clusters} outputs of its own: n_heads="
            f"{n_heads} and n_auxiliary={n_auxiliary} are added to a trunk, which "
            "must end in another number of features"
        )
    n_features = None if width == n_clusters else width
    network = Network(trunk, n_features, n_clusters, n_heads, n_auxiliary)
    return network.to(next((p.dtype for p in trunk.parameters()), X.dtype))


def _width(module, X):
    """Number of outputs of a module, which it must have for each sample."""
    was_training = module.training
    try:
        with torch.no_grad():
            outputs = module.eval()(X)
    except (RuntimeError, TypeError, IndexError) as error:
        raise ValueError(
            f"module does not take samples of shape {tuple(X.shape[1:])}: {error}"
        ) from error
    finally:
        module.train(was_training)
    shape = tuple(getattr(outputs, "shape", ()))
    if len(shape) != 2 or shape[0] != len(X) or not shape[1]:
        came = shape if shape else type(outputs).__name__
        raise ValueError(
            "module must return a tensor of shape (n_samples, n_features), or "
            f"(n_samples, n_clusters), got {came} for {len(X)} samples"
        )
    return shape[1]


def dtype_of(module):
    """The floating-point type that a module computes in."""
    for parameter in module.parameters():
        if parameter.is_floating_point():
            return parameter.dtype
    return torch.get_default_dtype()


def device_of(device):
    """The device meant by the constructor argument `device`."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        if torch.backends.mps.is_available():
            return torch.device("mps")
        return torch.device("cpu")
    try:
        return torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device must be 'auto' or what torch.device takes, got {device!r}: {error}"
        ) from error
