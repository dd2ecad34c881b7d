// Scales every vector along the middle axis of w (outer, length, inner) so that its norm becomes
// rate · clip(norm, min, max) + (1 - rate) · norm. A thread for each vector.
extern "C" __global__ void bound_norms(float *w, unsigned length, unsigned inner, float min, float max, float rate, unsigned vectors) {
    unsigned i = this_thread();
    if (i >= vectors) return;
    float *first = w + (size_t)(i / inner) * length * inner + i % inner;
    float sum = 0.0f;
    for (unsigned at = 0; at < length; at++) {
        float value = first[(size_t)at * inner];
        sum += value * value;
    }
    float norm = sqrtf(sum);
    float desired = rate * fminf(fmaxf(norm, min), max) + (1.0f - rate) * norm;
    float scale = desired / (1e-7f + norm);
    for (unsigned at = 0; at < length; at++) first[(size_t)at * inner] *= scale;
}

// w = max(w, 0); what is no number stays none.
extern "C" __global__ void bound_below(float *w, unsigned len) {
    unsigned i = this_thread();
    if (i < len && w[i] < 0.0f) w[i] = 0.0f;
}
