// y = y + bias, then relu: y (rows, width), bias (width) or none.
extern "C" __global__ void bias_relu(float *y, const float *bias, unsigned relu, unsigned width, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    float value = y[i] + (bias ? bias[i % width] : 0.0f);
    // NaN stays NaN.
    y[i] = relu && value < 0.0f ? 0.0f : value;
}

// The way back of a relu: dy = 0 where y is not above 0.
extern "C" __global__ void relu_gradient(const float *y, float *dy, unsigned len) {
    unsigned i = this_thread();
    if (i < len && !(y[i] > 0.0f)) dy[i] = 0.0f;
}
