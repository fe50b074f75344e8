#!/usr/bin/env bash
# The C tests and the Python suite under AddressSanitizer and
# UndefinedBehaviorSanitizer:
#
#     tools/run_sanitizers.sh [ARGUMENTS OF PYTEST]
#
# Needs gcc with libasan and a Python from 3.11 on (PYTHON=..., default python3);
# builds in build/sanitizers, in an environment of its own. Any finding in the
# package's code ends the run with an error: nothing is suppressed. Only leaks are
# not looked for under Python, whose interpreter leaves memory at its end; the C
# tests look for them.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/build/sanitizers
options=(-Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized)
# Findings end the process; the C code keeps its assertions.
options+=(-Db_ndebug=false -Dc_args=-fno-sanitize-recover=all)

if [ ! -x "$work/env/bin/python" ]; then
  "${PYTHON:-python3}" -m venv "$work/env"
  "$work/env/bin/pip" install --quiet meson-python "meson>=1.6" ninja "Cython>=3.1,<3.4" \
    numpy scipy scikit-learn "pytest>=8" pandas matplotlib
fi
export PATH="$work/env/bin:$PATH"
export UBSAN_OPTIONS=print_stacktrace=1 OPENBLAS_NUM_THREADS=1

echo "== C tests"
if [ -d "$work/c" ]; then reconfigure=--reconfigure; else reconfigure=; fi
meson setup $reconfigure "$work/c" "${options[@]}" -Dnative_tests=true > "$work/c.log" ||
  { cat "$work/c.log"; exit 1; }
ASAN_OPTIONS=detect_leaks=1 meson test -C "$work/c" --print-errorlogs

echo "== Python suite"
pip install --quiet --no-build-isolation --no-deps --force-reinstall \
  "${options[@]/#/-Csetup-args=}" -Cbuild-dir="$work/python" .
preload="$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libstdc++.so)"
# Python's own allocator hides overruns of small objects from the sanitizer.
LD_PRELOAD="$preload" ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
  pytest -p no:cacheprovider "$@"
