#!/usr/bin/env bash
# Fuzz the C library: each src_c/*/tests/fuzz_<target>.c for some minutes.
#
#     tools/fuzz.sh [MINUTES [TARGET ...]]        (default: 10 minutes, all targets)
#
# Needs clang for libFuzzer, which finds its way by coverage; without clang, gcc and
# random inputs. Both under AddressSanitizer and UndefinedBehaviorSanitizer, and the
# targets check the answers too. An input that fails is kept in build/fuzz/<target>,
# where the corpus grows from run to run.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-10} # 0 would be for ever
targets=("${@:2}")
if [ ${#targets[@]} -eq 0 ]; then
  for path in src_c/*/tests/fuzz_*.c; do
    name=$(basename "$path" .c)
    targets+=("${name#fuzz_}")
  done
fi
export UBSAN_OPTIONS=print_stacktrace=1
flags=(-std=c11 -g -O1 -fno-omit-frame-pointer -fno-math-errno -fno-trapping-math
  -fopenmp-simd -ffp-contract=off -fno-sanitize-recover=all
  -I src_c/kauri -I src_c/passes -I src_c/transport)

# The library, each set of passes under its own name as in src_c/meson.build.
passes=(src_c/passes/{dense,fdivergence,softmax,vmath}.c)
library=()
for path in src_c/*/*.c; do
  case " ${passes[*]} " in *" $path "*) ;; *) library+=("$path") ;; esac
done
sets=("baseline:")
if [ "$(uname -m)" = x86_64 ]; then
  sets+=("v3:-march=x86-64-v3" "v4:-march=x86-64-v4 -mprefer-vector-width=512")
  flags+=(-DGEM_HAVE_V3 -DGEM_HAVE_V4)
fi

build() { # compiler, sanitizers, target, executable, flags ...
  local compiler=$1 sanitizers=$2 target=$3 executable=$4 objects=() set path
  shift 4
  for set in "${sets[@]}"; do
    for path in "${passes[@]}"; do
      local object
      object="$executable.$(basename "$path" .c)_${set%%:*}.o"
      # shellcheck disable=SC2086 # no instruction set is no argument
      "$compiler" "${flags[@]}" -fsanitize="$sanitizers" ${set#*:} \
        -DGEM_ISA_SUFFIX="_${set%%:*}" -c "$path" -o "$object"
      objects+=("$object")
    done
  done
  "$compiler" "${flags[@]}" -fsanitize="$sanitizers" "$@" src_c/*/tests/"fuzz_$target.c" \
    "${library[@]}" "${objects[@]}" -lm -o "$executable"
}

for target in "${targets[@]}"; do
  folder=build/fuzz/$target
  mkdir -p "$folder/corpus"
  echo "== $target: $minutes minutes"
  if command -v clang > /dev/null; then
    build clang fuzzer,address,undefined "$target" "$folder/fuzz"
    "$folder/fuzz" -max_total_time=$((minutes * 60)) -timeout=30 -print_final_stats=1 -rss_limit_mb=4096 \
      -artifact_prefix="$folder/" "$folder/corpus" 2> "$folder/log" ||
      { tail -60 "$folder/log"; exit 1; }
    grep -E "number_of_executed_units|new_units_added|peak_rss" "$folder/log"
  else
    build gcc address,undefined "$target" "$folder/random" tools/fuzz_random.c
    end=$((SECONDS + minutes * 60)) seed=$RANDOM
    while [ "$SECONDS" -lt "$end" ]; do
      seed=$((seed + 1))
      "$folder/random" 1000 "$seed" > "$folder/log" 2>&1 ||
        { echo "inputs of seed $seed"; tail -60 "$folder/log"; exit 1; }
    done
    echo "random inputs up to seed $seed passed"
  fi
done
