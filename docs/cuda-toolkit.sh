#!/usr/bin/env bash
# Lays out a CUDA toolkit from NVIDIA's packages on PyPI, with which programs with the feature `cuda`
# can be built on a machine that has neither a GPU nor a toolkit:
#
#   docs/cuda-toolkit.sh FOLDER [COMPUTE_CAPABILITY]     # 8.0 by default: Ampere and newer
#   source FOLDER/environment
#   cargo build --release --example digits --features cuda
#
# Takes 1.2 GB. Needs python3 with pip, cc and c++. In place of the driver there is a stub that knows
# of no device: programs start with it and say so. On a machine with a GPU, `FOLDER/stub` must not be
# on the library path.
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

# A driver that has every function and finds no device (error 100).
mkdir -p "$folder/stub"
grep -oE '\bcu[A-Z][A-Za-z0-9_]*' "$root/include/cuda.h" | sort -u | grep -v '^cuGetErrorString$' |
    sed 's/.*/int &(void) { return 100; }/' >"$folder/stub/cuda.c"
echo 'int cuGetErrorString(int error, const char **text) { *text = "a stub in place of the driver"; return 0; }' \
    >>"$folder/stub/cuda.c"
cc -shared -fPIC -w -Wl,-soname,libcuda.so.1 -o "$folder/stub/libcuda.so.1" "$folder/stub/cuda.c"
ln -sf libcuda.so.1 "$folder/stub/libcuda.so"
ln -sf ../../../stub/libcuda.so "$root/lib/libcuda.so"

# dfdx asks it which GPU to compile for.
printf '#!/bin/sh\nprintf "compute_cap\\n%s\\n"\n' "$capability" >"$folder/stub/nvidia-smi"
chmod +x "$folder/stub/nvidia-smi"

cat >"$folder/environment" <<END
export CUDA_PATH=$root CUDA_ROOT=$root
export PATH=$root/bin:$folder/stub:\$PATH
export LD_LIBRARY_PATH=$root/lib:$folder/stub\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
END
echo "$folder/environment"
