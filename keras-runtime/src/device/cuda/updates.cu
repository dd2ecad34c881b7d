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
#elif defined NORM

// factor[0] = formula(Σ others, Σ own), of parts. One block.
extern "C" __global__ void norm_factor(const float *others, const float *own, float *factor, unsigned others_count, unsigned own_count, Constants k) {
    float sums[2] = {0.0f, 0.0f};
    for (unsigned part = threadIdx.x; part < others_count; part += THREADS) sums[0] += others[part];
    for (unsigned part = threadIdx.x; part < own_count; part += THREADS) sums[1] += own[part];
    sums[0] = block_sum(sums[0]);
    sums[1] = block_sum(sums[1]);
    if (threadIdx.x == 0) formula(sums, k, factor);
}
#else

// x = factor[0] x
extern "C" __global__ void scale_by(float *x, const float *factor, unsigned len) {
    unsigned i = this_thread();
    if (i < len) x[i] *= factor[0];
}

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
