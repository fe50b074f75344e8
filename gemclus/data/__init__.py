"""Synthetic data sets from the clustering literature."""

from gemclus.data._synthetic import (
    celeux_one,
    celeux_two,
    draw_gmm,
    gstm,
    multivariate_student_t,
)

__all__ = ["celeux_one", "celeux_two", "draw_gmm", "gstm", "multivariate_student_t"]
