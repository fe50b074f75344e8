#!/usr/bin/env bash
# The tools that guard taste: formats and lints of Python, Cython and C, and types.
#
#     tools/lint.sh
#
# Needs what `pip install --group lint` of pip 25.1 or later installs; all are
# configured in pyproject.toml and .clang-format.
set -euo pipefail
cd "$(dirname "$0")/.."
ruff format --check .
ruff check .
cython-lint gemclus
git ls-files 'src_c/*.c' 'src_c/*.h' | xargs clang-format --dry-run --Werror
mypy
