#!/usr/bin/env bash
# Makes libraries to link against in place of NVIDIA's, so that a program with the feature `cuda` starts on
# machines without a driver, too, and says there that it has no GPU:
#
#   docs/cuda-lazy.sh TOOLKIT FOLDER      # such as /usr/local/cuda lazy
#   CUDA_PATH=FOLDER cargo build --release --features cuda
#
# Each is an archive with every function of the library. When the program starts it looks for the library
# itself (`libcuda.so.1`, `libcublas.so.13`, ..) as the loader would, and has its functions jump there; without
# the library they return an error. For x86-64 and Linux; needs cc, ar and nm.
set -euo pipefail

toolkit=$(cd "$1" && pwd)
folder=$(mkdir -p "$2/lib" && cd "$2" && pwd)
case $(cc -dumpmachine) in
x86_64-*linux*) ;;
*) echo "$0: expected x86-64 and Linux. Received: $(cc -dumpmachine)" >&2 && exit 1 ;;
esac
for part in include bin nvvm; do
    if [ -e "$toolkit/$part" ]; then ln -sfn "$toolkit/$part" "$folder/$part"; fi
done

# The archive of a library: its name, the file to look for, and what its functions return without it. The
# functions are read from standard input.
archive() {
    local name=$1 file=$2 error=$3 work
    work=$(mktemp -d)
    sort -u >"$work/names"
    {
        echo '#include <dlfcn.h>'
        echo 'static const char *const names[] = {'
        sed 's/.*/    "&",/' "$work/names"
        echo '    0};'
        echo "void *keras_table_$name[$(($(wc -l <"$work/names") + 1))] __attribute__((visibility(\"hidden\")));"
        echo "static int missing(void) { return $error; }"
        echo '__attribute__((constructor)) static void find(void) {'
        echo "    void *library = dlopen(\"$file\", RTLD_NOW | RTLD_GLOBAL);"
        echo '    for (int i = 0; names[i]; i++) {'
        echo '        void *function = library ? dlsym(library, names[i]) : 0;'
        echo "        keras_table_$name[i] = function ? function : (void *)missing;"
        echo '    }'
        echo '}'
        echo '__asm__(".pushsection .text");'
        awk -v table="keras_table_$name" '{
            printf "__asm__(\".globl %s\\n.type %s, @function\\n%s: jmp *%s+%d(%%rip)\\n\");\n", $1, $1, $1, table, 8 * (NR - 1)
        }' "$work/names"
        echo '__asm__(".popsection");'
    } >"$work/lib$name.c"
    cc -O1 -fPIC -w -c -o "$work/lib$name.o" "$work/lib$name.c"
    rm -f "$folder/lib/lib$name.a"
    ar rcs "$folder/lib/lib$name.a" "$work/lib$name.o"
    rm -r "$work"
}

# The functions that a header names: those of the driver have a second name behind a macro.
functions() {
    grep -oE "\b$1[A-Z][A-Za-z0-9_]*" "$2"
}

# CUDA_ERROR_NO_DEVICE
functions cu "$toolkit/include/cuda.h" | archive cuda libcuda.so.1 100

# CUBLAS_STATUS_NOT_INITIALIZED, NVRTC_ERROR_INTERNAL_ERROR, CURAND_STATUS_INITIALIZATION_FAILED
for library in cublas:1 cublasLt:1 nvrtc:11 curand:203; do
    name=${library%:*}
    found=("$toolkit"/lib*/"lib$name".so.*)
    if [ ! -e "${found[0]}" ]; then continue; fi
    soname=$(basename "${found[0]}" | grep -oE "^lib$name\.so\.[0-9]+")
    nm -D --defined-only "${found[0]}" | awk '$2 ~ /[TW]/ {sub(/@.*/, "", $3); print $3}' |
        grep -E "^$name[A-Z]" | archive "$name" "$soname" "${library#*:}"
done
echo "$folder"
