// y = scale x + offset
extern "C" __global__ void rescale(const float *x, float *y, float scale, float offset, unsigned len) {
    unsigned i = this_thread();
    if (i < len) y[i] = fmaf(scale, x[i], offset);
}

// y = x · scale, 0 where the hash of the number's place is below the threshold: the same numbers are
// dropped on every device.
extern "C" __global__ void dropout(const float *x, float *y, unsigned first_word, unsigned second_word, unsigned threshold, float scale, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    unsigned h = (i * 0x9e3779b9u) ^ first_word;
    h = (h ^ (h >> 16)) * 0x7feb352du + second_word;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    h ^= h >> 16;
    // What is dropped is zero, even if it is infinite.
    y[i] = h < threshold || scale == 0.0f ? 0.0f : scale * x[i];
}
