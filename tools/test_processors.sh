#!/usr/bin/env bash
# The package on emulated x86-64 processors: the passes that it picks there, and the
# tests of the passes and of every model.
#
#     tools/test_processors.sh [ARGUMENTS OF PYTEST]
#
# Needs qemu-x86_64-static of QEMU 7.2 or later (Debian: qemu-user-static) and the
# package with pytest in the environment of `python`. Takes two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(command -v python) || { echo "no python on the PATH" >&2; exit 1; }
tests=("$@")
if [ ${#tests[@]} -eq 0 ]; then
  tests=(tests/test_minimal.py tests/core/test_softmax.py tests/gemini/test_fdivergences.py)
fi
unset GEMCLUS_ISA OPENBLAS_CORETYPE
export OPENBLAS_NUM_THREADS=1
# QEMU 7.2 crashes in NumPy's own sorting with AVX2: NumPy does without.
numpy_sets=$(cd / && "$python" -c "
from numpy._core._multiarray_umath import __cpu_dispatch__
print(*{'AVX2', 'FMA3', 'X86_V3'}.intersection(__cpu_dispatch__))")

for processor in Nehalem:baseline Haswell:x86-64-v3; do
  cpu=${processor%%:*} expected=${processor##*:}
  if [ "$expected" != baseline ]; then export NPY_DISABLE_CPU_FEATURES=$numpy_sets; fi
  emulated=(qemu-x86_64-static -cpu "$cpu" "$python")
  # Started outside the checkout, which has no compiled modules.
  found=$(cd / && "${emulated[@]}" -W ignore -c \
    "from gemclus._core import dispatch; print(dispatch.instruction_set())")
  echo "== $cpu: $found"
  if [ "$found" != "$expected" ]; then
    echo "expected the passes of $expected"
    exit 1
  fi
  "${emulated[@]}" -c "import sys, pytest; sys.path.remove(''); sys.exit(pytest.main())" \
    -q -p no:cacheprovider "${tests[@]}"
done
