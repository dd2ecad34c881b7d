// What metrics count. Counts of a batch are collected apart and then added to the totals, which stay
// exact so. Weights that are no whole numbers are added in no fixed order.

#ifdef COLUMNS
// totals[n][c] += Σ values[n] over the rows of column c: y_true, y_pred (rows, columns). `formula` has
// the values of a target, a prediction, the largest prediction of the row, and the weight. A block for
// each column.
extern "C" __global__ void column_sums(const float *y_true, const float *y_pred, const float *weights, float *totals, unsigned rows, unsigned columns, unsigned per_weight, unsigned values, unsigned needs_max, Constants k) {
    float sums[8] = {0.0f};
    for (unsigned row = threadIdx.x; row < rows; row += THREADS) {
        size_t first = (size_t)row * columns, at = first + blockIdx.x;
        float most = __int_as_float(0xff800000);
        for (unsigned i = 0; needs_max && i < columns; i++) most = fmaxf(most, y_pred[first + i]);
        float before[4] = {y_true[at], y_pred[at], most, weights ? weights[at / per_weight] : 1.0f}, after[8];
        formula(before, k, after);
        for (unsigned n = 0; n < 8; n++) if (n < values) sums[n] += after[n];
    }
    for (unsigned n = 0; n < values; n++) {
        float sum = block_sum(sums[n]);
        if (threadIdx.x == 0) totals[(size_t)n * columns + blockIdx.x] += sum;
    }
}
#else

struct Thresholds { unsigned rows, columns, first_column, counted_columns, per_weight, count, spacing, from_logits, has_top_k, top_k, by_column, has_column_weights; };

// How many thresholds are below a prediction: spacing 0 any, 1 even, 2 even with ends outside.
__device__ __forceinline__ unsigned below(const Thresholds &t, const float *thresholds, float p) {
    if (t.from_logits) p = 1.0f / (1.0f + expf(-p));
    if (t.spacing == 0) {
        unsigned first = 0, end = t.count;
        while (first < end) {
            unsigned middle = (first + end) / 2;
            if (p > thresholds[middle]) first = middle + 1;
            else end = middle;
        }
        return first;
    }
    unsigned count = (unsigned)ceilf(fminf(fmaxf(p, 0.0f), 1.0f) * (float)(t.count - 1));
    return t.spacing == 2 && count < 1 ? 1 : count;
}

// sums[is_positive][thresholds below][column] += weight, a thread for each prediction that is counted
extern "C" __global__ void threshold_counts(const float *y_true, const float *y_pred, const float *weights, const float *thresholds, const float *column_weights, float *sums, Thresholds t) {
    unsigned i = this_thread();
    if (i >= t.rows * t.counted_columns) return;
    unsigned row = i / t.counted_columns, column = t.first_column + i % t.counted_columns;
    const float *p = y_pred + (size_t)row * t.columns;
    size_t at = (size_t)row * t.columns + column;
    bool is_among = true;
    if (t.has_top_k) {
        // The first of equal predictions are among the largest.
        unsigned before = 0;
        for (unsigned other = 0; other < column; other++) before += p[other] >= p[column];
        for (unsigned other = column + 1; other < t.columns; other++) before += p[other] > p[column];
        is_among = before < t.top_k;
    }
    unsigned bucket = is_among ? below(t, thresholds, p[column]) : 0;
    float weight = weights ? weights[at / t.per_weight] : 1.0f;
    if (t.has_column_weights) weight *= column_weights[column];
    unsigned columns = t.by_column ? t.columns : 1, positive = y_true[at] != 0.0f;
    atomicAdd(&sums[((size_t)positive * (t.count + 1) + bucket) * columns + (t.by_column ? column : 0)], weight);
}

// What the number of a class is read from: kind 0 the number itself, 1 where the first maximum is of
// `len` numbers `stride` apart, 2 whether it is at least the threshold.
struct ClassOf { unsigned kind, len, stride; float threshold; };

// The class at a place, `classes` if it is none of them.
__device__ __forceinline__ float class_at(const ClassOf &of, const float *numbers, unsigned at) {
    if (of.kind == 0) return truncf(numbers[at]);
    if (of.kind == 2) return numbers[at] >= of.threshold ? 1.0f : 0.0f;
    size_t first = (size_t)(at / of.stride) * of.stride * of.len + at % of.stride;
    unsigned best = 0;
    for (unsigned place = 1; place < of.len; place++) {
        if (numbers[first + (size_t)place * of.stride] > numbers[first + (size_t)best * of.stride]) best = place;
    }
    return (float)best;
}

// sums[t][p] += weight, a thread for each pair
extern "C" __global__ void class_counts(const float *y_true, const float *y_pred, const float *weights, float *sums, ClassOf of_true, ClassOf of_pred, unsigned classes, unsigned has_ignored, float ignored, unsigned per_weight, unsigned whole_weights, unsigned pairs) {
    unsigned i = this_thread();
    if (i >= pairs) return;
    float t = class_at(of_true, y_true, i), p = class_at(of_pred, y_pred, i);
    if (has_ignored && t == ignored) return;
    // NaN is no class.
    if (!(t >= 0.0f && t < (float)classes && p >= 0.0f && p < (float)classes)) return;
    float weight = weights ? weights[i / per_weight] : 1.0f;
    atomicAdd(&sums[(size_t)t * classes + (size_t)p], whole_weights ? truncf(weight) : weight);
}
#endif
