"""Value and gradient of the f-divergences, on the passes of ``fdivergence.h``.

Rows may lie in blocks: `sums` of each block, in two rounds, are added up, and the
totals are all that `value` and the gradient of each block need.
"""

import numpy as np

from cpython.buffer cimport PyBuffer_Release
from cpython.exc cimport PyErr_CheckSignals
from libc.stdlib cimport free, malloc

from gemclus._core.arrays cimport close, open_output, open_rows, real
from gemclus._core.buffers import empty_like
from gemclus._core.dispatch cimport (
    GEM_FDIV_BLOCK,
    GEM_FDIV_COUNT,
    GEM_FDIV_NOT_FINITE,
    GEM_FDIV_OK,
    GEM_FDIV_SUMS_1,
    GEM_FDIV_SUMS_2,
    gem_fdiv,
    gem_fdiv_kind,
    gem_fdiv_status,
    passes,
    rows_at_a_time,
)

# Name, such as "kl_ova", -> number that `evaluate` takes.
KINDS = {
    passes.fdivergence.name(<gem_fdiv_kind>kind).decode(): kind
    for kind in range(GEM_FDIV_COUNT)
}

cdef enum:
    PROPORTIONS = 1
    ROWS = 2
    SPREAD = 3


def evaluate(int kind, y_pred, double epsilon, bint return_grad, weights=None):
    """Evaluate one f-divergence.

    Parameters
    ----------
    kind : int
        A value of `KINDS`.
    y_pred : ndarray of shape (N, K)
        C-contiguous, float32 or float64, not empty.
    epsilon : float
        Predictions are clipped to ``[epsilon, 1 - epsilon]``.
    return_grad : bool
        Whether to return the gradient as well.
    weights : ndarray of shape (N,), float64, default=None
        Weights of the samples, not negative, not all zero; None is 1 each.

    Returns
    -------
    value : float
        Equal to the last bit with and without gradient.
    gradient : ndarray of shape (N, K)
        In the dtype of `y_pred`, if `return_grad`.

    Raises
    ------
    ValueError
        If `y_pred` holds NaN or infinity.
    """
    cdef Evaluation evaluation = Evaluation(kind, epsilon, y_pred, weights)
    gradient = empty_like(y_pred) if return_grad else None
    evaluation.run(PROPORTIONS, None)
    evaluation.settle(True)
    evaluation.run(ROWS, gradient)
    value = evaluation.finish()
    if not return_grad:
        return value
    evaluation.run(SPREAD, gradient)
    return value, gradient


def sums(int kind, y_pred, double epsilon, weights=None, first=None, gradient=None):
    """The sums of one block: of the first round, or of the second.

    Parameters
    ----------
    kind, y_pred, epsilon, weights : as in `evaluate`
        Of one block; all its weights may be zero.
    first : ndarray of shape (K + 3,), default=None
        What the first round gave, added up over all blocks: then these are the
        sums of the second round.
    gradient : ndarray of shape (n, K), default=None
        Where the second round leaves what `spread` completes to the gradient; None
        leaves it out.

    Returns
    -------
    sums : ndarray of float64
        Of shape (K + 3,) in the first round: the total weight, the number of rows of
        positive weight, how far clipping moved entries, and the sums of the
        columns. Of shape (K + 1,) in the second: the sum of the values of rows, and
        of their derivatives with respect to the proportions.
    """
    cdef Evaluation evaluation = Evaluation(kind, epsilon, y_pred, weights)
    if first is None:
        evaluation.run(PROPORTIONS, None)
        return evaluation.read(PROPORTIONS)
    evaluation.merge(PROPORTIONS, first)
    evaluation.settle(False)
    if gradient is None:
        evaluation.sum_rows()
    else:
        evaluation.run(ROWS, gradient)
    return evaluation.read(ROWS)


def check(int kind, double epsilon, first):
    """Refuse totals of the first round of predictions that are not finite."""
    cdef Evaluation evaluation = Evaluation(kind, epsilon, None, None, first.shape[0] - 3)
    evaluation.merge(PROPORTIONS, first)
    evaluation.settle(True)


def value(int kind, double epsilon, first, second):
    """The value, from the totals of both rounds."""
    cdef Evaluation evaluation = Evaluation(kind, epsilon, None, None, first.shape[0] - 3)
    evaluation.merge(PROPORTIONS, first)
    evaluation.settle(True)
    evaluation.merge(ROWS, second)
    return evaluation.finish()


def spread(int kind, y_pred, double epsilon, weights, first, second, gradient):
    """Complete what `sums` left in `gradient`, from the totals of both rounds."""
    cdef Evaluation evaluation = Evaluation(kind, epsilon, y_pred, weights)
    evaluation.merge(PROPORTIONS, first)
    evaluation.settle(True)
    evaluation.merge(ROWS, second)
    evaluation.finish()
    evaluation.run(SPREAD, gradient)


cdef class Evaluation:
    """The state of one evaluation, and the rows and weights that it looks at.

    `y_pred` may be None where there are only sums, of `n_columns`.
    """

    cdef gem_fdiv state
    cdef double *work
    cdef Py_buffer[2] views
    cdef int n_open
    cdef const double *weights

    def __cinit__(self, int kind, double epsilon, y_pred, weights, Py_ssize_t n_columns=0):
        cdef size_t n = 1, k = n_columns
        if y_pred is not None:
            open_rows(y_pred, &self.views[0])
            self.n_open = 1
            n, k = self.views[0].shape[0], self.views[0].shape[1]
        if weights is not None:
            open_rows(weights, &self.views[1])
            self.n_open = 2
            if self.views[1].len != n * sizeof(double):
                raise ValueError(f"weights must be {n} numbers of float64")
            self.weights = <const double *>self.views[1].buf
        self.work = <double *>malloc(passes.fdivergence.work(k) * sizeof(double))
        if self.work == NULL:
            raise MemoryError
        _check(passes.fdivergence.start(
            &self.state, <gem_fdiv_kind>kind, n, k, epsilon, self.work))

    def __dealloc__(self):
        free(self.work)
        close(self.views, self.n_open)

    cdef int settle(self, bint whole) except -1:
        return _check(passes.fdivergence.settle(&self.state, whole))

    cdef double finish(self):
        return passes.fdivergence.finish(&self.state)

    cdef object read(self, int which):
        cdef size_t k = self.state.k
        cdef double[::1] sums = np.empty(
            GEM_FDIV_SUMS_1(k) if which == PROPORTIONS else GEM_FDIV_SUMS_2(k))
        passes.fdivergence.read(&self.state, which, &sums[0])
        return sums.base

    cdef int merge(self, int which, const double[::1] sums) except -1:
        cdef size_t k = self.state.k
        cdef size_t expected = (
            GEM_FDIV_SUMS_1(k) if which == PROPORTIONS else GEM_FDIV_SUMS_2(k))
        if <size_t>sums.shape[0] != expected:
            raise ValueError(f"sums must have {expected} entries, got {sums.shape[0]}")
        passes.fdivergence.merge(&self.state, which, &sums[0])
        return 0

    cdef int sum_rows(self) except -1:
        """The second pass for its sums: the direct terms go to a scratch."""
        cdef Py_buffer *p = &self.views[0]
        cdef size_t n = p.shape[0], k = self.state.k, start, count
        cdef char *scratch = <char *>malloc(min(n, GEM_FDIV_BLOCK) * k * p.itemsize)
        cdef const char *rows
        cdef const double *w = NULL
        if scratch == NULL:
            raise MemoryError
        try:
            for start in range(0, n, GEM_FDIV_BLOCK):
                count = min(n - start, GEM_FDIV_BLOCK)
                rows = <const char *>p.buf + start * k * p.itemsize
                if self.weights != NULL:
                    w = self.weights + start
                if p.itemsize == sizeof(float):
                    _pass(<const float *>rows, w, ROWS, &self.state, count, <float *>scratch)
                else:
                    _pass(<const double *>rows, w, ROWS, &self.state, count,
                          <double *>scratch)
        finally:
            free(scratch)
        return 0

    cdef int run(self, int which, gradient) except -1:
        """One pass over the rows; `gradient` is an array or None."""
        cdef Py_buffer out
        cdef Py_buffer *p = &self.views[0]
        out.buf = NULL
        if gradient is not None:
            open_output(gradient, &out)
        try:
            if out.buf != NULL and out.len != p.len:
                raise ValueError("gradient must have the shape and dtype of y_pred")
            if p.itemsize == sizeof(float):
                _pass(<const float *>p.buf, self.weights, which, &self.state, p.shape[0],
                      <float *>out.buf)
            else:
                _pass(<const double *>p.buf, self.weights, which, &self.state, p.shape[0],
                      <double *>out.buf)
        finally:
            if gradient is not None:
                PyBuffer_Release(&out)
        return 0


cdef int _pass(
    const real *p,
    const double *weights,
    int which,
    gem_fdiv *state,
    size_t n,
    real *gradient,
) except -1:
    cdef size_t k = state.k, step = rows_at_a_time(state.k), start, count
    cdef const double *w = NULL
    cdef real *g = NULL
    for start in range(0, n, step):
        count = min(step, n - start)
        if weights != NULL:
            w = weights + start
        if gradient != NULL:
            g = gradient + start * k
        with nogil:
            if real is float:
                if which == PROPORTIONS:
                    passes.fdivergence.proportions_f32(state, p + start * k, w, count)
                elif which == ROWS:
                    passes.fdivergence.rows_f32(state, p + start * k, w, g, count)
                else:
                    passes.fdivergence.spread_f32(state, p + start * k, w, g, count)
            else:
                if which == PROPORTIONS:
                    passes.fdivergence.proportions_f64(state, p + start * k, w, count)
                elif which == ROWS:
                    passes.fdivergence.rows_f64(state, p + start * k, w, g, count)
                else:
                    passes.fdivergence.spread_f64(state, p + start * k, w, g, count)
        PyErr_CheckSignals()
    return 0


cdef int _check(gem_fdiv_status status) except -1:
    if status == GEM_FDIV_NOT_FINITE:
        raise ValueError("y_pred must be finite, it contains NaN or infinity")
    if status != GEM_FDIV_OK:
        raise ValueError("kind, shape, epsilon or weights out of range")
    return 0
