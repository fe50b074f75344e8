"""One of two processes that share batches; see test_processes_that_share.py.

Arguments: rank, file of the meeting point, file for the gradients.
"""

import sys

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gemclus.torch import ConsistencyLoss, GeminiLoss

# Objective, its arguments, sizes of the two batches, whether they have weights.
CASES = [
    ("mi", {"balance": 0.5}, (9, 14), False),
    ("mi", {}, (9, 14), True),
    ("kl_ovo", {}, (9, 14), True),
    ("tv_ova", {}, (9, 14), False),
    ("tv_ovo", {}, (9, 14), True),
    ("hellinger_ova", {}, (9, 14), False),
    ("hellinger_ovo", {}, (9, 14), False),
    ("chi2_ova", {}, (9, 14), True),
    ("chi2_ovo", {}, (9, 14), False),
    ("mmd_ova", {}, (9, 14), False),
    ("mmd_ovo", {}, (9, 14), True),
    ("mmd_ovo", {"kernel": "rbf"}, (9, 14), False),
    ("mmd_ova", {"kernel": "rbf"}, (9, 14), True),
    ("wasserstein_ova", {}, (9, 14), False),
    ("wasserstein_ovo", {"metric": "manhattan"}, (9, 14), True),
    ("mi", {"consistency": True}, (12, 12), False),
]


def problem(n_samples, weighted):
    generator = torch.Generator().manual_seed(n_samples)
    X = torch.randn(n_samples, 3, generator=generator, dtype=torch.float64) + 5.0
    weight = torch.arange(n_samples, dtype=torch.float64) % 4 if weighted else None
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4)).double()
    return module, X, weight


def gradients(module, X, weight, name, arguments):
    """Value, and the gradients of the parameters of `module`."""
    arguments = dict(arguments)
    consistency = arguments.pop("consistency", False)
    logits = module(X)
    loss = GeminiLoss(name, **arguments)(logits, X, sample_weight=weight)
    if consistency:
        loss = loss + ConsistencyLoss(lambda X: 1.1 * X)(module, X, logits)
    loss.backward()
    return loss.detach(), [parameter.grad for parameter in module.parameters()]


def main(rank, meeting, out):
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=2
    )
    results = []
    for name, arguments, (first, second), weighted in CASES:
        module, X, weight = problem(first + second, weighted)
        rows = slice(0, first) if rank == 0 else slice(first, None)
        weight = None if weight is None else weight[rows]
        shared = DistributedDataParallel(module)
        results.append(gradients(shared, X[rows], weight, name, arguments))
    # In evaluation mode each process is by itself, and need not wait.
    if rank == 0:
        module, X, _ = problem(23, False)
        results.append(GeminiLoss("mi").eval()(module(X[:9])).detach())
    torch.save(results, out)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
