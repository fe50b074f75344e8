"""The compiled passes for this processor, chosen once, at import.

The environment variable ``GEMCLUS_ISA`` names the best instruction set to use:
``baseline`` pins the passes that run on every processor. Results differ in their
last digits only.
"""

import os

SETS = ("baseline", "x86-64-v3", "x86-64-v4")

_most = os.environ.get("GEMCLUS_ISA") or "x86-64-v4"
if _most not in SETS:
    raise ImportError(f"GEMCLUS_ISA must be one of {SETS}, got {_most!r}")
passes = gem_passes_select(<gem_isa><int>SETS.index(_most))


cdef size_t rows_at_a_time(size_t n_columns) noexcept nogil:
    # Some ten milliseconds of work, in whole blocks of the passes.
    cdef size_t blocks = (<size_t>1 << 22) // GEM_FDIV_BLOCK // n_columns
    return GEM_FDIV_BLOCK * (blocks if blocks else 1)


def exp(const double[::1] x, double[::1] out):
    """Write the exponentials of `x` to `out`, which may be `x`; within 1 ulp."""
    _check_length(x, out)
    if x.shape[0]:
        with nogil:
            passes.vmath.exp(&x[0], &out[0], x.shape[0])


def log(const double[::1] x, double[::1] out):
    """Write the logarithms of `x` to `out`, which may be `x`; within 1 ulp."""
    _check_length(x, out)
    if x.shape[0]:
        with nogil:
            passes.vmath.log(&x[0], &out[0], x.shape[0])


cdef int _check_length(const double[::1] x, const double[::1] out) except -1:
    if x.shape[0] != out.shape[0]:
        raise ValueError(f"out must have length {x.shape[0]}, got {out.shape[0]}")
    return 0


def instruction_set():
    """Name of the instruction set in use, one of `SETS`."""
    return passes.isa.decode()
