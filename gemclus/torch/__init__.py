"""GEMINIs for deep networks: losses and a clusterer on PyTorch.

It needs the extra ``torch``: ``pip install "gemclus[torch]"``. Nothing here is
imported by ``import gemclus``.
"""

try:
    import torch as _torch
except ImportError as _error:
    raise ImportError(
        "gemclus.torch needs PyTorch, the extra 'torch' of gemclus: "
        f'pip install "gemclus[torch]". Cause: {_error}'
    ) from _error
del _torch

from gemclus._common.public import publish
from gemclus.torch._clustering import TorchClustering
from gemclus.torch._loss import GeminiLoss
from gemclus.torch._regularisers import ConsistencyLoss, VATLoss

__all__ = ["ConsistencyLoss", "GeminiLoss", "TorchClustering", "VATLoss"]

publish(__name__, globals(), __all__)
