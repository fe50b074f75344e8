# Bytes of an entry of an array of float64 or float32; 0 for anything else.
cdef Py_ssize_t float_size(object array) except -1
