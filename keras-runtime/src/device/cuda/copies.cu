// Copies runs of numbers: run (i, j) of len numbers at offset + i · stride[0] + j · stride[1].
struct Runs { unsigned offset, strides[2]; };

// to[run] = from[run], a thread for each number of inner · outer runs
extern "C" __global__ void copy_runs(const float *from, Runs from_runs, float *to, Runs to_runs, unsigned inner, unsigned run_len, unsigned len) {
    unsigned thread = this_thread();
    if (thread >= len) return;
    unsigned at = thread % run_len, j = thread / run_len % inner, i = thread / run_len / inner;
    to[to_runs.offset + (size_t)i * to_runs.strides[0] + (size_t)j * to_runs.strides[1] + at] =
        from[from_runs.offset + (size_t)i * from_runs.strides[0] + (size_t)j * from_runs.strides[1] + at];
}
