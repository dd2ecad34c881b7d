// Functions of two tensors, element by element; operands are repeated along axes of stride 0.

#define AXES 7

// The axes of the output, and the strides of the operands along them.
struct Broadcast { unsigned dims[AXES], left[AXES], right[AXES], rank; };

// Where the operands of output number i are.
__device__ __forceinline__ void operands(const Broadcast &axes, unsigned i, size_t *left, size_t *right) {
    *left = 0;
    *right = 0;
    for (unsigned axis = axes.rank; axis-- > 0;) {
        unsigned index = i % axes.dims[axis];
        i /= axes.dims[axis];
        *left += (size_t)index * axes.left[axis];
        *right += (size_t)index * axes.right[axis];
    }
}

#ifdef VALUE
// y = f(left, right)
extern "C" __global__ void merge(const float *left, const float *right, float *y, Broadcast axes, Constants k, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    size_t at_left, at_right;
    operands(axes, i, &at_left, &at_right);
    float pair[2] = {left[at_left], right[at_right]};
    formula(pair, k, &y[i]);
}
#endif

#ifdef SLOPE
// d_right[at] = Σ dy · df/dright over the outputs that a number of the right operand is repeated to, a
// block for each: `repeated` has the axes it is repeated along, `single` those it is not.
extern "C" __global__ void merge_gradient_right_summed(const float *left, const float *right, const float *dy, float *d_right, Broadcast single, Broadcast repeated, Constants k, unsigned count) {
    // Both have the output's strides in place of the right operand's.
    size_t left_start, out_start, at_left, at_out;
    operands(single, blockIdx.x, &left_start, &out_start);
    float own = right[blockIdx.x], sum = 0.0f;
    for (unsigned i = threadIdx.x; i < count; i += THREADS) {
        operands(repeated, i, &at_left, &at_out);
        float pair[2] = {left[left_start + at_left], own}, slopes[2];
        formula(pair, k, slopes);
        sum += dy[out_start + at_out] * slopes[1];
    }
    store_block_sum(sum, &d_right[blockIdx.x]);
}

// d_right = dy · df/dright where it is wanted, of a right operand that is not repeated; dy becomes
// dy · df/dleft.
extern "C" __global__ void merge_gradient(const float *left, const float *right, float *dy, float *d_right, Broadcast axes, Constants k, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    size_t at_left, at_right;
    operands(axes, i, &at_left, &at_right);
    float pair[2] = {left[at_left], right[at_right]}, slopes[2];
    formula(pair, k, slopes);
    if (d_right) d_right[at_right] = dy[i] * slopes[1];
    dy[i] *= slopes[0];
}
#endif
