"""Input of a step: one matrix, or columns of several types."""

import numpy as np


class Table:
    """Columns of the input, together or one by one.

    Parameters
    ----------
    graph : Graph
        The graph that has the tensors.
    matrix : str, default=None
        Name of an (n, D) tensor of all columns.
    columns : list of str, default=None
        Names of an (n, 1) tensor for each column, instead.
    """

    def __init__(self, graph, matrix=None, columns=None):
        self._graph = graph
        self._matrix = matrix
        self._columns = columns

    def expect(self, reader):
        """Remember an estimator that takes all columns, and so many of them."""
        if self._matrix is not None:
            self._graph.readers.append((self._matrix, reader))

    def is_text(self, column):
        """Whether a column is one of text."""
        if self._columns is None:
            return False
        return self._graph.dtype_of(self._columns[column]).kind not in "fiub"

    def column(self, column):
        """An (n, 1) tensor of one column."""
        if self._columns is not None:
            return self._columns[column]
        return self._graph.take(self._matrix, [column])

    def select(self, columns):
        """The table of some columns."""
        if self._columns is not None:
            return Table(self._graph, columns=[self._columns[j] for j in columns])
        if len(columns) == 0:
            raise ValueError("a step of the pipeline reads no column")
        return Table(self._graph, self._graph.take(self._matrix, columns))

    def matrix(self, reader):
        """An (n, D) tensor of all columns, for an estimator that takes numbers."""
        if self._matrix is not None:
            return self._matrix
        text = [j for j in range(len(self._columns)) if self.is_text(j)]
        if text:
            raise TypeError(
                f"{type(reader).__name__} reads column {self._columns[text[0]]!r}, "
                "which is text: encode it first, with OneHotEncoder"
            )
        self._matrix = self._graph.join(self._columns)
        return self._matrix


def table_of_inputs(graph, first, text):
    """The inputs of a graph: one matrix, or one for each column if some are text.

    Parameters
    ----------
    graph : Graph
    first : estimator
        The first fitted step, which has the names of the columns.
    text : set of int
        Positions of columns of text.

    Returns
    -------
    table : Table
    inputs : list of (str, dtype, int)
        Name, type and number of columns of each input.
    """
    n_features = first.n_features_in_
    if not text:
        graph.declare("X", graph.dtype)
        return Table(graph, "X"), [("X", graph.dtype, n_features)]
    names = check_input_names(first)
    string = np.dtype(object)
    inputs = [
        (name, string if j in text else graph.dtype, 1) for j, name in enumerate(names)
    ]
    for name, dtype, _ in inputs:
        graph.declare(name, dtype)
    return Table(graph, columns=names), inputs


def check_input_names(first):
    """Names of columns that are to be names of inputs; ONNX wants identifiers."""
    names = getattr(first, "feature_names_in_", None)
    if names is None:
        names = [f"x{j}" for j in range(first.n_features_in_)]
    for name in names:
        if not (str(name).isidentifier() and str(name).isascii()):
            raise ValueError(
                f"the feature name {name!r} would be that of an input, and those of "
                "ONNX are identifiers (letters, digits and _): rename the column"
            )
        if name in ("label", "probabilities"):
            raise ValueError(f"the feature name {name!r} is that of an output")
    return [str(name) for name in names]
