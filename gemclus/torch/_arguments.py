"""The arguments of a `TorchClustering` and its methods, checked, and its task."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from scipy.sparse import issparse

from gemclus.affinity import Affinity
from gemclus.torch._house import (
    check_bool,
    check_choice,
    check_float,
    check_init,
    check_int,
    check_verbose,
)
from gemclus.torch._loss import GeminiLoss
from gemclus.torch._network import device_of, dtype_of
from gemclus.torch._training import SCHEDULES, Regulariser, Task


def check_parameters(model):
    """Refuse wrong constructor arguments.

    Returns
    -------
    loss : GeminiLoss
        A copy that training may change.
    regularisers : list of Regulariser
        Copies too.
    """
    if not isinstance(model.module, torch.nn.Module):
        raise TypeError(
            f"module must be a torch.nn.Module, got {model.module!r} "
            f"({type(model.module).__name__})"
        )
    check_int("n_clusters", model.n_clusters, 1)
    check_int("n_init", model.n_init, 1)
    check_int("n_heads", model.n_heads, 1)
    check_int("n_auxiliary", model.n_auxiliary, 0)
    check_int("batch_size", model.batch_size, 2)
    check_int("max_epochs", model.max_epochs, 1)
    check_float("learning_rate", model.learning_rate, 0.0, strict=True)
    check_int("n_iter_no_change", model.n_iter_no_change, 1)
    check_choice("schedule", model.schedule, SCHEDULES)
    check_bool("pretrained", model.pretrained)
    check_verbose("verbose", model.verbose)
    if model.tol is not None:
        check_float("tol", model.tol, 0.0)
    check_init(model.init)
    device_of(model.device)
    loss = deepcopy(model.objective)
    if not isinstance(loss, GeminiLoss):
        loss = GeminiLoss(loss)
    return loss, check_regularisers(model.regularisers)


def check_regularisers(regularisers):
    """Copies of the losses beside the objective, with their weights."""
    if callable(regularisers) or not hasattr(regularisers, "__iter__"):
        raise TypeError(
            "regularisers must be a sequence of losses or of pairs (loss, weight), got "
            f"{regularisers!r}"
        )
    checked = []
    for position, entry in enumerate(regularisers):
        loss, weight = entry if isinstance(entry, (tuple, list)) else (entry, 1.0)
        if not callable(loss) or isinstance(loss, type):
            raise TypeError(
                f"regularisers[{position}] must be a callable loss(network, X, "
                f"logits), got {loss!r}"
            )
        weight = check_float(f"the weight of regularisers[{position}]", weight, 0.0)
        checked.append(Regulariser(deepcopy(loss), weight))
    return checked


def check_affinity(y, n_samples, loss):
    """The affinity that `y` is, for an objective that is precomputed; else None."""
    if loss._objective.affinity != "precomputed":
        return None
    shape = tuple(getattr(y, "shape", np.shape(y)))
    if y is None or shape != (n_samples, n_samples):
        raise ValueError(
            "y must be the precomputed matrix of shape "
            f"{(n_samples, n_samples)}, got {None if y is None else shape}"
        )
    if issparse(y):
        return y.tocsr()
    return y if isinstance(y, (Affinity, torch.Tensor)) else np.asarray(y)


def check_weight(sample_weight, n_samples):
    """Weights of the samples as an array, or None."""
    if sample_weight is None:
        return None
    try:
        weight = np.array(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"sample_weight must hold numbers: {error}") from error
    if weight.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), got {weight.shape}"
        )
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("sample_weight must be finite and not negative")
    if not weight.any():
        raise ValueError("sample_weight must not be all zero")
    return weight


def make_task(model, X, y, sample_weight, loss, regularisers):
    """The task of a training.

    Parameters
    ----------
    model : TorchClustering
        Whose parameters, which have been checked, say how to train.
    X : ndarray of shape (N, ...)
        Samples of the type of the module.
    y, sample_weight
        As in `TorchClustering.fit`.
    loss, regularisers
        What `check_parameters` returns.

    Returns
    -------
    task : Task
        With the samples that count.
    """
    init = check_init(model.init, len(X), model.n_clusters)
    affinity = check_affinity(y, len(X), loss)
    weight = check_weight(sample_weight, len(X))
    if weight is not None:
        kept = np.flatnonzero(weight)
        if len(kept) < 2:
            raise ValueError(
                "sample_weight must be positive for at least 2 samples, got "
                f"{len(kept)}"
            )
        X, weight = X[kept], weight[kept]
        if affinity is not None:
            affinity = affinity[kept][:, kept]
        if not isinstance(init, str):
            init = init[kept]
    dtype = dtype_of(model.module)
    samples = torch.from_numpy(X).to(dtype)
    for regulariser in regularisers:
        if hasattr(regulariser.loss, "fit"):
            regulariser.loss.fit(samples)
    device = device_of(model.device)
    return Task(
        module=model.module,
        X=samples,
        affinity=affinity,
        weight=None if weight is None else torch.from_numpy(weight).to(dtype),
        loss=loss.to(device),
        regularisers=[regulariser.to(device) for regulariser in regularisers],
        n_clusters=model.n_clusters,
        n_heads=model.n_heads,
        n_auxiliary=model.n_auxiliary,
        batch_size=model.batch_size,
        learning_rate=model.learning_rate,
        max_epochs=model.max_epochs,
        schedule=model.schedule,
        pretrained=model.pretrained,
        device=device,
        init=init,
    )
