#!/usr/bin/env python3
"""Store the graphs of this release in ``tests/onnx_room/stored``.

    python tools/make_onnx.py

Run it once for each release, before it is tagged: later releases must give the same
answers, from these files and from the pickles of the same models.
"""

import pickle
from pathlib import Path

import gemclus
from gemclus.onnx import to_onnx

TESTS = Path(__file__).resolve().parents[1] / "tests"
MODELS = ["Kauri", "MLPModel"]


def main():
    folder = TESTS / "onnx_room" / "stored"
    folder.mkdir(exist_ok=True)
    for name in MODELS:
        stored = pickle.loads((TESTS / "pickles" / f"{name}.pkl").read_bytes())
        path = folder / f"{gemclus.__version__}-{name}.onnx"
        path.write_bytes(to_onnx(stored["model"], dtype="float64").SerializeToString())
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
