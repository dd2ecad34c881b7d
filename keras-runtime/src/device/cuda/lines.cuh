// Lines of a batch, before the text of a function of one.

// Where the lines of a batch are: `along` has a bit for each axis that they run along. Targets are as many
// as predictions, or one for each line or for several.
#define AXES 8
struct Lines { unsigned count, width, targets, per_weight, threads, are_slices, axes, along, size[AXES], has_ignored; float ignored; };

// One line, of which this thread takes the elements first, first + threads, ...
struct Line {
    const Lines *lines;
    const float *t, *p;
    float *d, *memory;
    unsigned first, width, threads;
    // How many targets of the batch are neither 0 nor 1, where somebody has counted them.
    float others;
};

// Where the element number `index` is among those of the axes that are, or are not, along the lines.
__device__ __forceinline__ size_t offset(const Lines &r, size_t index, unsigned along) {
    size_t offset = 0, stride = 1;
    for (unsigned axis = r.axes; axis-- > 0;) {
        if ((r.along >> axis & 1u) == along) {
            offset += index % r.size[axis] * stride;
            index /= r.size[axis];
        }
        stride *= r.size[axis];
    }
    return offset;
}

__device__ __forceinline__ size_t place(const Line &line, unsigned i) { return line.lines->are_slices ? i : offset(*line.lines, i, 1); }
__device__ __forceinline__ float target(const Line &line, unsigned i) { return line.lines->targets ? line.t[0] : line.t[place(line, i)]; }
__device__ __forceinline__ float prediction(const Line &line, unsigned i) { return line.p[place(line, i)]; }

__device__ __forceinline__ float larger(float a, float b) { return a > b || a != a ? a : b; }

// Over the threads of a line, in every one of them.
__device__ __forceinline__ float line_sum(const Line &line, float x) {
    return line.threads == 32 ? warp_sum(x) : block_sum(x);
}

__device__ __forceinline__ float line_max(const Line &line, float x) {
    for (int distance = 16; distance > 0; distance /= 2) x = larger(x, __shfl_xor_sync(0xffffffffu, x, distance));
    if (line.threads == 32) return x;
    __shared__ float most[THREADS / 32];
    __syncthreads();
    if (threadIdx.x % 32 == 0) most[threadIdx.x / 32] = x;
    __syncthreads();
    x = most[0];
    for (int warp = 1; warp < THREADS / 32; warp++) x = larger(x, most[warp]);
    return x;
}
