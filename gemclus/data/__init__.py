"""Synthetic data sets from the clustering literature."""

from gemclus._common.public import publish
from gemclus.data._synthetic import (
    celeux_one,
    celeux_two,
    draw_gmm,
    gstm,
    multivariate_student_t,
)

__all__ = ["celeux_one", "celeux_two", "draw_gmm", "gstm", "multivariate_student_t"]

publish(__name__, globals(), __all__)
