"""A graph in the making: nodes, constants, and the type of every tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

#: Bytes of constants in a graph: a file of ONNX holds less than 2 GiB.
_MOST_BYTES = 2**31 - 2**20


def require_onnx() -> Any:
    """The package onnx, or an ImportError that says how to get it."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            'gemclus.onnx needs the package onnx: pip install "gemclus[onnx]"'
        ) from error
    return onnx


class Graph:
    """Graph of operators that a converter writes to.

    Tensors are known by their names. Types follow scikit-learn's: a scaler keeps
    float32, a projection by float64 components gives float64.

    Parameters
    ----------
    dtype : numpy.dtype
        float32 or float64, the type of the inputs and of the probabilities.
    opset : int
        Version of the operators.
    prefix : str, default=""
        Start of the names of the tensors made.

    Attributes
    ----------
    nodes : list of onnx.NodeProto
        In an order in which they can be run.
    constants : list of onnx.TensorProto
        The initialisers.

    See Also
    --------
    converter : Registers a function that writes to one.
    to_onnx : Writes models and pipelines.

    Examples
    --------
    >>> from gemclus.onnx import Graph
    >>> graph = Graph("float32", opset=18)
    >>> logarithms = graph.node("Log", graph.declare("X", "float32"))
    >>> [node.op_type for node in graph.nodes], graph.dtype_of(logarithms)
    (['Log'], dtype('float32'))
    """

    dtype: np.dtype[Any]
    opset: int
    nodes: list[Any]
    constants: list[Any]

    def __init__(self, dtype: DTypeLike, opset: int, prefix: str = "") -> None:
        self.dtype = np.dtype(dtype)
        self.opset = opset
        self.nodes = []
        self.constants = []
        # Tensors, and the estimators that read all their columns.
        self.readers: list[tuple[str, Any]] = []
        self._onnx = require_onnx()
        self._prefix = prefix
        self._dtypes: dict[str, np.dtype[Any]] = {}
        self._n_bytes = 0

    def declare(self, name: str, dtype: DTypeLike) -> str:
        """Make a tensor known that no node of the graph makes: an input."""
        self._dtypes[name] = np.dtype(dtype)
        return name

    def dtype_of(self, tensor: str) -> np.dtype[Any]:
        """The NumPy type of a tensor."""
        return self._dtypes[tensor]

    def node(
        self,
        operator: str,
        *inputs: str,
        dtype: DTypeLike | None = None,
        name: str | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node with one output.

        Parameters
        ----------
        operator : str
            The operator, such as ``"MatMul"``.
        *inputs : str
            Names of its inputs.
        dtype : dtype, default=None
            Type of its output; None is that of its first input.
        name : str, default=None
            Name of its output; None makes one up.
        domain : str, default=""
            Domain of the operator.
        **attributes
            Attributes of the node.

        Returns
        -------
        output : str
            Name of its output.
        """
        name = name or self._new_name(operator)
        self.nodes.append(
            self._onnx.helper.make_node(
                operator, list(inputs), [name], name=name, domain=domain, **attributes
            )
        )
        return self.declare(name, self._dtypes[inputs[0]] if dtype is None else dtype)

    def constant(
        self,
        values: ArrayLike,
        what: str = "a constant",
        dtype: DTypeLike | None = None,
    ) -> str:
        """Add an array.

        Parameters
        ----------
        values : array-like of numbers or str
            Its values. Floats become those of the type of the graph.
        what : str, default="a constant"
            What an error calls it.
        dtype : dtype, default=None
            Its type, if it is another one.

        Returns
        -------
        tensor : str
            Its name.

        Raises
        ------
        ValueError
            If a number is not finite, or too large for its type, or all constants
            together are more than a file holds.
        """
        values = np.asarray(values)
        if values.dtype.kind == "f" or dtype is not None:
            values = self._as_floats(values, what, np.dtype(dtype or self.dtype))
        self._n_bytes += values.nbytes
        if self._n_bytes > _MOST_BYTES:
            raise ValueError(
                f"{what}: the constants of the graph take {self._n_bytes} bytes, and a "
                f"file of ONNX holds {_MOST_BYTES}"
            )
        name = self._new_name("constant")
        tensor = self._onnx.numpy_helper.from_array(np.asarray(values, order="C"), name)
        self.constants.append(tensor)
        return self.declare(name, values.dtype)

    def cast(self, tensor: str, dtype: DTypeLike) -> str:
        """The tensor in another type; itself if it has that type."""
        dtype = np.dtype(dtype)
        if self.dtype_of(tensor) == dtype:
            return tensor
        to = self._onnx.helper.np_dtype_to_tensor_dtype(dtype)
        return self.node("Cast", tensor, dtype=dtype, to=to)

    def affine(self, X: str, W: ArrayLike, b: ArrayLike, what: str) -> str:
        """``X W + b`` in the type of `X`."""
        dtype = self.dtype_of(X)
        W = self.constant(W, f"W of {what}", dtype)
        b = self.constant(np.ravel(b), f"b of {what}", dtype)
        return self.node("Gemm", X, W, b)

    def join(self, tensors: Sequence[str]) -> str:
        """Columns of several (N, D) tensors side by side, in their widest type."""
        if len(tensors) == 1:
            return tensors[0]
        dtype = np.result_type(*map(self.dtype_of, tensors))
        return self.node(
            "Concat", *(self.cast(tensor, dtype) for tensor in tensors), axis=1
        )

    def take(self, tensor: str, columns: ArrayLike) -> str:
        """Some columns of an (N, D) tensor."""
        columns = self.constant(np.asarray(columns, dtype=np.int64))
        return self.node("Gather", tensor, columns, axis=1)

    def _new_name(self, kind: str) -> str:
        name = f"{self._prefix}{kind.lower()}_{len(self.nodes) + len(self.constants)}"
        # A column may have been called so.
        while name in self._dtypes:
            name += "_"
        return name

    @staticmethod
    def _as_floats(
        values: NDArray[Any], what: str, dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        if not np.isfinite(values).all():
            raise ValueError(f"{what} must be finite, it contains NaN or infinity")
        with np.errstate(over="ignore"):
            converted = values.astype(dtype)
        if not np.isfinite(converted).all():
            largest = float(np.abs(values).max())
            raise ValueError(f"{what} holds {largest:g}, too large for {dtype}")
        return converted
