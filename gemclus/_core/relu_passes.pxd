# Of entries: what the passes over whole arrays here and in layer_passes.pyx do.

from gemclus._core.arrays cimport real


cdef inline real rectified(real z) noexcept nogil:
    # A NaN stays one.
    return 0.0 if z < 0.0 else z


cdef inline void stop_at_zero(const real *h, real *b, size_t size) noexcept nogil:
    """Set the gradients `b` to 0 where the activations `h` are."""
    cdef size_t at
    for at in range(size):
        b[at] = b[at] if h[at] > 0.0 else 0.0
