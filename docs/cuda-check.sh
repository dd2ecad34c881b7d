#!/usr/bin/env bash
# Everything that a GPU is needed for, in one go on a machine that has one: builds with the feature `cuda`,
# holds every operation of the GPU against the CPU, does so again under compute-sanitizer, trains the
# networks of examples/bench.rs and the same ones in PyTorch, and prints one table.
#
#   docs/cuda-check.sh [FOLDER]      # for what is written on the way: table.txt grows there, and every log
#
# Nothing takes longer than KERAS_CHECK_LIMIT seconds, 900 by default: it has failed then.
#
# Needs the driver, a CUDA toolkit (nvcc, NVRTC, cuBLAS; docs/cuda-toolkit.sh lays one out), cargo, and the
# network at most for crates. compute-sanitizer, and PyTorch of the Python in $PYTHON, are left out where they
# are missing, which the table says. Ends with 1 if a check has failed.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=$(mkdir -p "${1:-target/cuda-check}" && cd "${1:-target/cuda-check}" && pwd)
python=${PYTHON:-python3}
table=$folder/table.txt
: >"$table"
failures=0

row() { printf '%-32s %-22s %14s %14s\n' "$@" >>"$table"; }

# One that hangs, or takes too long, must not take the time of all the others.
limit=${KERAS_CHECK_LIMIT:-900}

# Runs a check, keeps what it says, and writes its row.
check() {
    local name=$1 log=$folder/$1.log
    shift
    echo "== $name: $*"
    if timeout "$limit" "$@" >"$log" 2>&1; then
        # A test that was left out has not passed.
        if grep -q '^SKIPPED: the GPU' "$log"; then
            row "$name" SKIPPED - -
            failures=$((failures + 1))
        else
            row "$name" passed - -
        fi
    else
        row "$name" FAILED - -
        failures=$((failures + 1))
        tail -n 30 "$log"
    fi
}

# Runs a benchmark: a program that prints `name backend seconds_per_epoch samples_per_second`.
bench() {
    local name=$1 label=$2 log=$folder/$1-$2.log
    shift 2
    echo "== $name, $label"
    if timeout "$limit" "$@" >"$log" 2>&1; then
        row "$name" "$label" $(grep -v '^#' "$log" | awk 'NF == 4 { print $3, $4; exit }')
    else
        row "$name" "$label" FAILED -
        failures=$((failures + 1))
        tail -n 10 "$log"
    fi
}

nvidia-smi --query-gpu=name,driver_version,compute_cap,memory.total --format=csv | tee "$folder/gpu.txt" ||
    { echo "there is no GPU, or no driver for it" >&2; exit 1; }

row CHECK RESULT SECONDS/EPOCH SAMPLES/S
limit=3600 check build cargo build --release --features cuda --example bench
# Nothing else could run.
[ "$failures" = 0 ] || { cat "$table" && exit 1; }
limit=3600 check conformance cargo test -p keras-runtime --release --features cuda,testing --lib the_gpu_conforms -- --nocapture

# The test's program, which the sanitizer runs without cargo.
tests=$(cargo test -p keras-runtime --release --features cuda,testing --lib --no-run --message-format=json 2>/dev/null |
    grep -o '"executable":"[^"]*"' | tail -n 1 | cut -d '"' -f 4)
sanitize() {
    if ! command -v compute-sanitizer >/dev/null; then
        row "sanitizer-$1" SKIPPED - -
    else
        check "sanitizer-$1" compute-sanitizer --tool "$1" --error-exitcode 1 "$tests" the_gpu_conforms --nocapture
    fi
}
sanitize memcheck

program=${CARGO_TARGET_DIR:-target}/release/examples/bench
has_torch=$("$python" -c 'import torch; print(torch.cuda.is_available())' 2>/dev/null || true)
for work in "mlp_mnist 128" "mlp_mnist 4096" "convnet_mnist 128" "convnet_mnist 1024"; do
    read -r network batch_size <<<"$work"
    for tf32 in "" tf32; do
        name=$network/$batch_size${tf32:+/tf32}
        file=${name//\//-}
        KERAS_CUDA_TF32=${tf32:+1} bench "$file" keras-rs "$program" "$network" "$batch_size"
        if [ "$has_torch" != True ]; then
            row "$file" torch SKIPPED -
            continue
        fi
        for mode in eager compile; do
            bench "$file" "torch-$mode" "$python" docs/cuda-bench.py "$network" "$batch_size" "$mode" $tf32
        done
    done
done

# The slowest last: what is above is known even if the time with the card ends here.
for tool in synccheck racecheck initcheck; do sanitize "$tool"; done

echo
cat "$folder/gpu.txt" "$table"
[ "$failures" = 0 ]
