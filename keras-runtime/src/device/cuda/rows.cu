// Losses and metrics of rows: targets (rows, true_width), predictions (rows, width). What is summed
// goes to one part for each block.

// How the rows lie, and which are left out: those whose target is `ignored`.
struct Rows { unsigned rows, true_width, width, rows_per_weight, has_ignored; float ignored; };

__device__ __forceinline__ float weight_of(const Rows &r, const float *weights, unsigned row) {
    return weights ? weights[row / r.rows_per_weight] : 1.0f;
}

__device__ __forceinline__ bool is_ignored(const Rows &r, const float *y_true, unsigned row) {
    return r.has_ignored && y_true[(size_t)row * r.true_width] == r.ignored;
}

#if defined VALUE || defined LOSS
// Functions of one target and one prediction, averaged over the row: `formula` is the function, and
// for a loss its derivative, too. One target may stand for a whole row.

__device__ __forceinline__ float target_of(const Rows &r, const float *y_true, unsigned i) {
    return y_true[r.true_width == r.width ? i : i / r.width];
}
#endif

#ifdef VALUE
// parts[p] = (Σ w f, Σ w) over the elements of part p
extern "C" __global__ void pair_mean(const float *y_true, const float *y_pred, const float *weights, float *parts, Rows r, Constants k) {
    float sum = 0.0f, count = 0.0f;
    for (unsigned i = this_thread(); i < r.rows * r.width; i += all_threads()) {
        float pair[2] = {target_of(r, y_true, i), y_pred[i]}, value;
        formula(pair, k, &value);
        float weight = weight_of(r, weights, i / r.width);
        sum += weight * value;
        count += weight;
    }
    store_block_sum(sum, &parts[2 * blockIdx.x]);
    store_block_sum(count, &parts[2 * blockIdx.x + 1]);
}
#elif defined LOSS
// parts[p] = Σ w f over the elements of part p; gradient = factor · scale · w f', where there is one.
// Without a scale it is 1.
extern "C" __global__ void pair_loss(const float *y_true, const float *y_pred, const float *weights, float *gradient, float *parts, Rows r, Constants k, float factor, const float *scale) {
    float sum = 0.0f;
    if (scale) factor *= scale[0];
    for (unsigned i = this_thread(); i < r.rows * r.width; i += all_threads()) {
        float pair[2] = {target_of(r, y_true, i), y_pred[i]}, results[2];
        formula(pair, k, results);
        float weight = weight_of(r, weights, i / r.width);
        sum += weight * results[0];
        if (gradient) gradient[i] = factor * weight * results[1];
    }
    store_block_sum(sum, &parts[blockIdx.x]);
}
#else

// parts[p] = how many rows of part p count, or their weights
extern "C" __global__ void counted_parts(const float *y_true, const float *weights, float *parts, Rows r) {
    float sum = 0.0f;
    for (unsigned row = this_thread(); row < r.rows; row += all_threads()) {
        if (!is_ignored(r, y_true, row)) sum += weight_of(r, weights, row);
    }
    store_block_sum(sum, &parts[blockIdx.x]);
}

// Whether a is before b as a maximum: the first of equal ones, NaN before every number.
__device__ __forceinline__ bool is_before(float a, float at_a, float b, float at_b) {
    bool a_is_nan = a != a, b_is_nan = b != b;
    if (a_is_nan || b_is_nan) return a_is_nan && (!b_is_nan || at_a < at_b);
    return a > b || (a == b && at_a < at_b);
}

// Where the maximum of a row is.
__device__ __forceinline__ float row_argmax(const float *row, unsigned width) {
    float best = __int_as_float(0xff800000), at = 1e9f;
    for (unsigned i = lane(); i < width; i += 32) {
        if (is_before(row[i], (float)i, best, at)) best = row[i], at = (float)i;
    }
    for (int distance = 16; distance > 0; distance /= 2) {
        float other = __shfl_xor_sync(0xffffffffu, best, distance);
        float other_at = __shfl_xor_sync(0xffffffffu, at, distance);
        if (is_before(other, other_at, best, at)) best = other, at = other_at;
    }
    return at;
}

// The number of a class that a target is, `width` if it is none.
__device__ __forceinline__ unsigned class_of(float target, unsigned width) {
    return target > -1.0f && target < (float)width ? (unsigned)target : width;
}

// 1 if fewer than k predictions are larger than that of the class. NaN is the smallest of all.
__device__ __forceinline__ float in_top_k(const float *p, unsigned width, unsigned chosen, unsigned k) {
    float least = chosen < width ? p[chosen] : 0.0f, larger = 0.0f;
    if (least != least) least = __int_as_float(0xff800000);
    for (unsigned i = lane(); i < width; i += 32) larger += p[i] > least ? 1.0f : 0.0f;
    larger = warp_sum(larger);
    return chosen < width && larger < (float)k ? 1.0f : 0.0f;
}

// The functions of rows, by number: see `RowKernel`.
enum { SAME_CLASS, IS_CLASS, IN_TOP_K, CLASS_IN_TOP_K };

// The value of a row, in every thread of the warp.
__device__ __forceinline__ float value_of(unsigned function, const float *t, const float *p, unsigned width, unsigned k) {
    switch (function) {
        case SAME_CLASS: return row_argmax(t, width) == row_argmax(p, width) ? 1.0f : 0.0f;
        case IS_CLASS: return t[0] == row_argmax(p, width) ? 1.0f : 0.0f;
        case IN_TOP_K: return in_top_k(p, width, (unsigned)row_argmax(t, width), k);
        default: return in_top_k(p, width, class_of(t[0], width), k);
    }
}

// parts[p] = (Σ w f, Σ w) over the rows of part p. Without weights, rows that are left out are counted
// with the value 0.
extern "C" __global__ void row_mean(const float *y_true, const float *y_pred, const float *weights, float *parts, Rows r, unsigned function, unsigned k) {
    float sum = 0.0f, count = 0.0f;
    for (unsigned row = first_row(); row < r.rows; row += row_step()) {
        bool ignored = is_ignored(r, y_true, row);
        float weight = weight_of(r, weights, row), value = 0.0f;
        if (!ignored) value = value_of(function, y_true + (size_t)row * r.true_width, y_pred + (size_t)row * r.width, r.width, k);
        if (lane() == 0 && !(ignored && weights)) {
            sum += weight * value;
            count += weight;
        }
    }
    store_block_sum(sum, &parts[2 * blockIdx.x]);
    store_block_sum(count, &parts[2 * blockIdx.x + 1]);
}

// The cross-entropy after a softmax, from its input z and its output p:
// -Σ tᵢ ln pᵢ = Σ tᵢ (max z - zᵢ) - T ln(max p) with T = Σ t; its derivative with regard to z is T p - t.
// Targets are numbers of classes, or probabilities t = keep t + share.
extern "C" __global__ void softmax_loss(const float *y_true, const float *z, const float *p, const float *weights, float *gradient, float *parts, Rows r, unsigned are_numbers, float smoothing, float factor, const float *scale) {
    float total = 0.0f;
    if (scale) factor *= scale[0];
    float keep = 1.0f - smoothing, share = smoothing / (float)r.width;
    for (unsigned row = first_row(); row < r.rows; row += row_step()) {
        size_t first = (size_t)row * r.width;
        const float *own_z = z + first, *own_p = p + first, *t = y_true + (size_t)row * r.true_width;
        float *d = gradient ? gradient + first : 0;
        float weight = weight_of(r, weights, row), own = factor * weight;
        if (are_numbers) {
            unsigned chosen = class_of(t[0], r.width);
            bool counts = chosen < r.width && !is_ignored(r, y_true, row);
            for (unsigned i = lane(); d && i < r.width; i += 32) {
                d[i] = counts ? own * own_p[i] - (i == chosen ? own : 0.0f) : 0.0f;
            }
            if (!counts) continue;
            float value;
            // A probability whose logarithm may have lost its digits.
            if (own_p[chosen] < 1e-30f) {
                value = row_max(own_z, r.width) - own_z[chosen] - logf(row_max(own_p, r.width));
            } else {
                value = -logf(own_p[chosen]);
            }
            if (lane() == 0) total += weight * value;
            continue;
        }
        float most = row_max(own_z, r.width), all = 0.0f, missing = 0.0f;
        for (unsigned i = lane(); i < r.width; i += 32) {
            float target = t[i] * keep + share;
            all += target;
            missing += target * (most - own_z[i]);
        }
        all = warp_sum(all);
        missing = warp_sum(missing);
        for (unsigned i = lane(); d && i < r.width; i += 32) d[i] = own * own_p[i] * all - own * (t[i] * keep + share);
        float value = missing - all * logf(row_max(own_p, r.width));
        if (lane() == 0) total += weight * value;
    }
    store_block_sum(total, &parts[blockIdx.x]);
}
#endif
