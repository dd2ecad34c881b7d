#!/usr/bin/env bash
# Lays out a CUDA toolkit from NVIDIA's packages on PyPI, with which programs with the feature `cuda`
# can be built on a machine that has neither a GPU nor a toolkit:
#
#   docs/cuda-toolkit.sh FOLDER [COMPUTE_CAPABILITY]     # 8.0 by default: Ampere and newer
#   source FOLDER/environment
#   cargo build --release --example digits --features cuda
#
# Takes 1.2 GB. Needs python3 with pip, cc and c++. Programs are linked to what cuda-lazy.sh makes: they start
# without a driver, too, and say so.
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
capability=${2:-8.0}
python=${PYTHON:-python3}

# 13.0, because code of a newer compiler would want a newer driver.
"$python" -m pip download --quiet --no-deps --dest "$folder/wheels" \
    nvidia-cuda-nvcc==13.0.* nvidia-cuda-crt==13.0.* nvidia-nvvm==13.0.* nvidia-cuda-runtime==13.0.* \
    nvidia-cuda-cccl==13.0.* nvidia-cublas==13.0.* nvidia-cuda-nvrtc==13.0.* nvidia-curand==10.4.*
for wheel in "$folder"/wheels/*.whl; do
    "$python" -m zipfile -e "$wheel" "$folder"
    rm "$wheel"
done
rmdir "$folder/wheels"

root=$folder/nvidia/cu13
chmod +x "$root"/bin/* "$root"/nvvm/bin/*
ln -sfn lib "$root/lib64"
for library in "$root"/lib/lib*.so.*; do
    ln -sf "$(basename "$library")" "${library%%.so.*}.so"
done

"$(dirname "${BASH_SOURCE[0]}")/cuda-lazy.sh" "$root" "$folder/lazy" >/dev/null

# dfdx asks it which GPU to compile for.
mkdir -p "$folder/smi"
printf '#!/bin/sh\nprintf "compute_cap\\n%s\\n"\n' "$capability" >"$folder/smi/nvidia-smi"
chmod +x "$folder/smi/nvidia-smi"

cat >"$folder/environment" <<END
export CUDA_PATH=$folder/lazy CUDA_ROOT=$folder/lazy
export PATH=$root/bin:$folder/smi:\$PATH
export LD_LIBRARY_PATH=$root/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
END
echo "$folder/environment"
