import matplotlib
from threadpoolctl import threadpool_limits

matplotlib.use("agg")
# Small products gain nothing from BLAS threads, and lose much on a busy machine.
threadpool_limits(1)
