// What all kernels share. A block has THREADS threads in a row, in warps of 32.

// The numbers that a formula brings along.
struct Constants { float number[CONSTANTS]; };

// The number of this thread in the grid, and how many threads there are.
__device__ __forceinline__ unsigned this_thread() { return blockIdx.x * THREADS + threadIdx.x; }
__device__ __forceinline__ unsigned all_threads() { return gridDim.x * THREADS; }

// Σ x over a warp, in every thread of it.
__device__ __forceinline__ float warp_sum(float x) {
    for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(0xffffffffu, x, distance);
    return x;
}

// max x over a warp, in every thread of it. NaN does not count.
__device__ __forceinline__ float warp_max(float x) {
    for (int distance = 16; distance > 0; distance /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, distance));
    return x;
}

// Σ x over a block, in every thread of it.
__device__ __forceinline__ float block_sum(float x) {
    __shared__ float sums[THREADS / 32];
    x = warp_sum(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;
    __syncthreads();
    float sum = 0.0f;
    for (int warp = 0; warp < THREADS / 32; warp++) sum += sums[warp];
    return sum;
}

// to[0] = Σ x over a block.
__device__ __forceinline__ void store_block_sum(float x, float *to) {
    x = block_sum(x);
    if (threadIdx.x == 0) to[0] = x;
}

// Rows that are taken by warps: the first one of this thread's, and from one to the next.
__device__ __forceinline__ unsigned first_row() { return this_thread() / 32; }
__device__ __forceinline__ unsigned row_step() { return all_threads() / 32; }
__device__ __forceinline__ unsigned lane() { return threadIdx.x % 32; }

// The largest number of a row, in every thread of its warp. NaN does not count.
__device__ __forceinline__ float row_max(const float *row, unsigned width) {
    float most = __int_as_float(0xff800000);
    for (unsigned i = lane(); i < width; i += 32) most = fmaxf(most, row[i]);
    return warp_max(most);
}
