"""Resident memory and CPU time of this process."""

import ctypes
import gc
import time


class Measured:
    """Time and memory of a block of code, as a context manager.

    Attributes
    ----------
    seconds : float
        CPU time of the process.
    peak : int
        Bytes by which resident memory rose above where it was at the start; 0
        where the system does not tell (it needs Linux).
    """

    def __enter__(self):
        gc.collect()
        _return_free_memory()
        self._before = _reset_peak()
        self._start = time.process_time()
        return self

    def __exit__(self, *error):
        self.seconds = time.process_time() - self._start
        self.peak = max(0, memory("VmHWM") - self._before)


def memory(name):
    """A line of ``/proc/self/status`` in bytes: VmRSS, VmHWM, VmData..."""
    try:
        with open("/proc/self/status") as file:
            line = next(line for line in file if line.startswith(name))
    except OSError:
        return 0
    return int(line.split()[1]) * 1024


def _return_free_memory():
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):  # not glibc
        pass


def _reset_peak():
    """Start a new peak of resident memory, where Linux lets us."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass
    return memory("VmRSS")
