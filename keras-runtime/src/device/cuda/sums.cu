// Sums over columns, and the last step of sums over everything. Sums are made of parts whose number
// depends on the sizes alone, added up in order: the same input gives the same sum.

// parts[p][j] = Σ x[i][j] over the rows i of part p: x (rows, width), parts (gridDim.y, width).
// A block has 32 columns side by side and 8 rows at a time.
extern "C" __global__ void column_parts(const float *x, float *parts, unsigned rows, unsigned width, unsigned rows_per_part) {
    __shared__ float sums[8][32];
    unsigned lane = threadIdx.x % 32, line = threadIdx.x / 32;
    unsigned column = blockIdx.x * 32 + lane;
    unsigned first = blockIdx.y * rows_per_part;
    unsigned end = first + rows_per_part < rows ? first + rows_per_part : rows;
    float sum = 0.0f;
    if (column < width) {
        for (unsigned row = first + line; row < end; row += 8) sum += x[(size_t)row * width + column];
    }
    sums[line][lane] = sum;
    __syncthreads();
    if (line == 0 && column < width) {
        for (int other = 1; other < 8; other++) sum += sums[other][lane];
        parts[(size_t)blockIdx.y * width + column] = sum;
    }
}

// y[j] = Σ parts[p][j]
extern "C" __global__ void add_parts(const float *parts, float *y, unsigned count, unsigned width) {
    unsigned column = this_thread();
    if (column >= width) return;
    float sum = 0.0f;
    for (unsigned part = 0; part < count; part++) sum += parts[(size_t)part * width + column];
    y[column] = sum;
}

// to[n] += factor · scale[0] · Σ parts[p][n]: parts (count, numbers). Without a scale it is 1. One block.
extern "C" __global__ void finish(const float *parts, float *to, unsigned count, unsigned numbers, float factor, const float *scale) {
    for (unsigned n = 0; n < numbers; n++) {
        float sum = 0.0f;
        for (unsigned part = threadIdx.x; part < count; part += THREADS) sum += parts[part * numbers + n];
        sum = block_sum(sum);
        if (threadIdx.x == 0) to[n] += factor * (scale ? scale[0] : 1.0f) * sum;
    }
}

// parts[p] = Σ y over the numbers y = scale · x of part p, of y itself (kind 0), |y| (1), y² (2), 0 · y (3).
extern "C" __global__ void total_parts(const float *x, float *parts, unsigned kind, float scale, unsigned len) {
    float sum = 0.0f;
    for (unsigned i = this_thread(); i < len; i += all_threads()) {
        float value = scale * x[i];
        sum += kind == 0 ? value : kind == 1 ? fabsf(value) : kind == 2 ? value * value : 0.0f * value;
    }
    store_block_sum(sum, &parts[blockIdx.x]);
}

// y[0] = Σ parts, or 1 / Σ parts if it is to be a scale, and then 0 if the sum is 0. One block.
extern "C" __global__ void total(const float *parts, float *y, unsigned count, unsigned is_scale) {
    float sum = 0.0f;
    for (unsigned part = threadIdx.x; part < count; part += THREADS) sum += parts[part];
    sum = block_sum(sum);
    if (threadIdx.x == 0) y[0] = !is_scale ? sum : sum == 0.0f ? 0.0f : 1.0f / sum;
}
