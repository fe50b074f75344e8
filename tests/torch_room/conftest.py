try:
    import torch
except ImportError:
    pass
else:
    # Small tensors gain nothing from threads, and lose much on a busy machine.
    torch.set_num_threads(1)
