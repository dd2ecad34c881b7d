// Optimizers: one pass over flat buffers. `formula` is the rule of the optimizer.

#ifdef RULE
#define SLOTS 8
struct Slots { float *slot[SLOTS]; };

// p, slots = rule(p, g, slots)
extern "C" __global__ void update(float *parameters, const float *gradients, Slots slots, unsigned count, Constants k, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    float before[2 + SLOTS], after[1 + SLOTS];
    before[0] = parameters[i];
    before[1] = gradients[i];
    for (unsigned n = 0; n < SLOTS; n++) if (n < count) before[2 + n] = slots.slot[n][i];
    formula(before, k, after);
    parameters[i] = after[0];
    for (unsigned n = 0; n < SLOTS; n++) if (n < count) slots.slot[n][i] = after[1 + n];
}
#else

// r = keep r + (1 - keep) mean(g² + epsilon) over the columns: g (outer, rows, columns), r (outer,
// rows). A block for each row.
extern "C" __global__ void factored_rows(const float *g, float *r, unsigned columns, float keep, float epsilon) {
    const float *from = g + (size_t)blockIdx.x * columns;
    float sum = 0.0f;
    for (unsigned i = threadIdx.x; i < columns; i += THREADS) sum += from[i] * from[i] + epsilon;
    sum = block_sum(sum);
    if (threadIdx.x == 0) r[blockIdx.x] = keep * r[blockIdx.x] + (1.0f - keep) * sum / (float)columns;
}

// c likewise over the rows: c (outer, columns). A thread for each column.
extern "C" __global__ void factored_columns(const float *g, float *c, unsigned rows, unsigned columns, float keep, float epsilon, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    const float *from = g + (size_t)(i / columns) * rows * columns + i % columns;
    float sum = 0.0f;
    for (unsigned row = 0; row < rows; row++) {
        float value = from[(size_t)row * columns];
        sum += value * value + epsilon;
    }
    c[i] = keep * c[i] + (1.0f - keep) * sum / (float)rows;
}

// v = r c / mean(r), g = g / √v. A block for each row.
extern "C" __global__ void factored_apply(float *g, const float *r, const float *c, float *v, unsigned rows, unsigned columns) {
    unsigned outer = blockIdx.x / rows;
    float sum = 0.0f;
    for (unsigned i = threadIdx.x; i < rows; i += THREADS) sum += r[(size_t)outer * rows + i];
    float share = r[blockIdx.x] / (block_sum(sum) / (float)rows);
    for (unsigned i = threadIdx.x; i < columns; i += THREADS) {
        size_t at = (size_t)blockIdx.x * columns + i;
        float value = share * c[(size_t)outer * columns + i];
        v[at] = value;
        g[at] /= sqrtf(value);
    }
}
#endif
