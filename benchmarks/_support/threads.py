"""One thread for BLAS: to be imported before NumPy."""

import os

for _library in ("OPENBLAS", "OMP", "MKL", "BLIS"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
