// Losses and metrics of lines: `program` is the function of one. A warp takes a line, or where lines are long a block.

// parts[p] = (Σ w f, Σ w) over the lines of part p; values[n] = f; the gradient is factor · scale · w f'. All of
// these where they are given; without a scale it is 1. Lines whose target is `ignored` are left out, and
// counted if there are no weights.
extern "C" __global__ void lines(const float *y_true, const float *y_pred, const float *weights, float *gradient, float *values, float *parts, Lines r, unsigned numbers, float factor, const float *scale, const float *others, float *memory, unsigned memory_len) {
    float sum = 0.0f, count = 0.0f;
    if (scale) factor *= scale[0];
    unsigned own = threadIdx.x % r.threads;
    for (unsigned n = this_thread() / r.threads; n < r.count; n += all_threads() / r.threads) {
        size_t start = r.are_slices ? (size_t)n * r.width : offset(r, n, 0);
        size_t own_target = r.targets ? (size_t)n * r.targets / r.count : start;
        bool is_ignored = r.has_ignored && y_true[own_target] == r.ignored;
        float weight = weights ? weights[n / r.per_weight] : 1.0f;
        Line line = {&r, y_true + own_target, y_pred + start, gradient && !is_ignored ? gradient + start : 0, memory ? memory + (size_t)n * memory_len : 0, own, r.width, r.threads, others ? others[0] : 0.0f};
        float value = program(line, factor * weight);
        for (unsigned i = own; gradient && is_ignored && i < r.width; i += r.threads) gradient[start + place(line, i)] = 0.0f;
        if (own > 0) continue;
        if (values) values[n] = is_ignored ? 0.0f : value;
        if (!is_ignored) sum += weight * value;
        if (!(is_ignored && weights)) count += weight;
    }
    sum = block_sum(sum);
    count = block_sum(count);
    if (threadIdx.x == 0) {
        parts[numbers * blockIdx.x] = sum;
        if (numbers > 1) parts[numbers * blockIdx.x + 1] = count;
    }
}

// parts[p] = how many targets of part p are neither 0 nor 1
extern "C" __global__ void other_targets(const float *y_true, float *parts, unsigned len) {
    float count = 0.0f;
    for (unsigned i = this_thread(); i < len; i += all_threads()) count += y_true[i] == 0.0f || y_true[i] == 1.0f ? 0.0f : 1.0f;
    store_block_sum(count, &parts[blockIdx.x]);
}
