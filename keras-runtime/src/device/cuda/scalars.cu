// Numbers of whole tensors: after(reduce(before(x))) over all elements, and its gradient.

// Functions of one number by their numbers, those before first: see `Elementary` and `Reduce`.
#define FUNCTIONS 8
struct Term { unsigned before, after, reduce, function[2 * FUNCTIONS]; float number[2 * FUNCTIONS]; };
enum { SCALE, SHIFT, SQUARE, ABS, SQRT, EXP, LOG };
enum { SUM, MEAN, MAX, MIN };

// The functions from `first` on, one after the other, applied to x; slope becomes it times the derivative.
__device__ __forceinline__ float along(const Term &t, unsigned first, unsigned count, float x, float *slope) {
    for (unsigned i = first; i < first + count; i++) {
        float number = t.number[i], before = x;
        switch (t.function[i]) {
            case SCALE: x = number * x; *slope *= number; break;
            case SHIFT: x = x + number; break;
            case SQUARE: x = x * x; *slope *= before + before; break;
            case ABS: x = fabsf(x); *slope *= before > 0.0f ? 1.0f : before < 0.0f ? -1.0f : before; break;
            case SQRT: x = sqrtf(x); *slope /= x + x; break;
            case EXP: x = expf(x); *slope *= x; break;
            default: x = logf(x); *slope /= before; break;
        }
    }
    return x;
}

__device__ __forceinline__ float before(const Term &t, float x) {
    float slope = 1.0f;
    return along(t, 0, t.before, x, &slope);
}

// One number of two. What is no number stays none.
__device__ __forceinline__ float both(const Term &t, float a, float b) {
    if (t.reduce <= MEAN) return a + b;
    if (a != a) return a;
    return b != b || (t.reduce == MAX ? b > a : b < a) ? b : a;
}

__device__ __forceinline__ float nothing(const Term &t) {
    return t.reduce <= MEAN ? 0.0f : __int_as_float(t.reduce == MAX ? 0xff800000 : 0x7f800000);
}

// parts[p] = reduce(before(x)) over the elements of part p
extern "C" __global__ void scalar_parts(const float *x, float *parts, Term t, unsigned len) {
    __shared__ float own[THREADS];
    float best = nothing(t);
    for (unsigned i = this_thread(); i < len; i += all_threads()) best = both(t, best, before(t, x[i]));
    own[threadIdx.x] = best;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (unsigned i = 1; i < THREADS; i++) best = both(t, best, own[i]);
        parts[blockIdx.x] = best;
    }
}

// value[0] = reduce(before(x)) from its parts. One thread.
extern "C" __global__ void scalar_value(const float *parts, float *value, Term t, unsigned count, unsigned len) {
    if (this_thread() > 0) return;
    float best = parts[0];
    for (unsigned i = 1; i < count; i++) best = both(t, best, parts[i]);
    value[0] = t.reduce == MEAN ? best / (float)len : best;
}

// to[i] += after(value)
extern "C" __global__ void add_scalar(const float *value, float *to, Term t, unsigned len) {
    unsigned i = this_thread();
    float slope = 1.0f;
    if (i < len) to[i] += along(t, FUNCTIONS, t.after, value[0], &slope);
}

// parts[p] = how many elements of part p are the value
extern "C" __global__ void tie_parts(const float *x, const float *value, float *parts, Term t, unsigned len) {
    float ties = 0.0f;
    for (unsigned i = this_thread(); i < len; i += all_threads()) ties += before(t, x[i]) == value[0] ? 1.0f : 0.0f;
    store_block_sum(ties, &parts[blockIdx.x]);
}

// share[0] = the gradient of each element that counts: Σ d after'(value), shared. One thread.
extern "C" __global__ void scalar_share(const float *value, const float *parts, const float *d, float *share, Term t, unsigned count, unsigned d_len, unsigned len) {
    if (this_thread() > 0) return;
    float slope = 0.0f, ties = 0.0f;
    for (unsigned i = 0; i < d_len; i++) slope += d[i];
    along(t, FUNCTIONS, t.after, value[0], &slope);
    for (unsigned i = 0; t.reduce > MEAN && i < count; i++) ties += parts[i];
    share[0] = t.reduce == SUM ? slope : slope / (t.reduce == MEAN ? (float)len : fmaxf(ties, 1.0f));
}

// d_x[i] = share before'(x[i]) where x[i] counts, else 0
extern "C" __global__ void scalar_gradient(const float *x, const float *value, const float *share, float *d_x, Term t, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    float slope = share[0];
    float own = along(t, 0, t.before, x[i], &slope);
    d_x[i] = t.reduce <= MEAN || own == value[0] ? slope : 0.0f;
}
