"""Rectified linear units: forward and backward, each in one pass."""

from gemclus._core.arrays cimport real


def bias_relu(Z, bias):
    """``max(Z + bias, 0)``, in place.

    Parameters
    ----------
    Z : ndarray of shape (N, H)
        Writeable, C-contiguous, float32 or float64. Cost O(N H).
    bias : ndarray of shape (1, H)
        With the dtype of `Z`.
    """
    if Z.itemsize == sizeof(float):
        _bias_relu[float](Z, bias)
    else:
        _bias_relu[double](Z, bias)


def relu_backward(H, B):
    """Set the gradients `B` to 0, in place, where the activations `H` are.

    Parameters
    ----------
    H, B : ndarray of shape (N, H)
        C-contiguous, of one dtype, float32 or float64. Cost O(N H).
    """
    if H.itemsize == sizeof(float):
        _relu_backward[float](H, B)
    else:
        _relu_backward[double](H, B)


cdef void _bias_relu(real[:, ::1] Z, const real[:, ::1] bias) noexcept:
    cdef Py_ssize_t N = Z.shape[0], H = Z.shape[1], i, h
    with nogil:
        for i in range(N):
            for h in range(H):
                Z[i, h] = rectified(Z[i, h] + bias[0, h])


cdef void _relu_backward(const real[:, ::1] H, real[:, ::1] B) noexcept:
    with nogil:
        stop_at_zero(&H[0, 0], &B[0, 0], H.shape[0] * H.shape[1])
