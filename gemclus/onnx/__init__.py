"""Models and pipelines as ONNX graphs, which run without Python.

Needs the extra ``onnx``: ``pip install "gemclus[onnx]"``.
"""

from gemclus._common.public import publish
from gemclus.onnx._conversion import to_onnx
from gemclus.onnx._graph import Graph
from gemclus.onnx._registry import converter
from gemclus.onnx._skl2onnx import register_skl2onnx

__all__ = ["Graph", "converter", "register_skl2onnx", "to_onnx"]

publish(__name__, globals(), __all__)
