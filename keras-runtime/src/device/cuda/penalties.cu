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

// The vectors of a matrix, over their norms: u (vectors, len). A warp takes a vector.
extern "C" __global__ void unit_vectors(const float *x, float *u, float *norms, unsigned vectors, unsigned len, unsigned stride, unsigned step) {
    for (unsigned row = first_row(); row < vectors; row += row_step()) {
        const float *from = x + (size_t)row * stride;
        float sum = 0.0f;
        for (unsigned k = lane(); k < len; k += 32) sum += from[(size_t)k * step] * from[(size_t)k * step];
        float norm = fmaxf(sqrtf(warp_sum(sum)), 1e-7f);
        for (unsigned k = lane(); k < len; k += 32) u[(size_t)row * len + k] = from[(size_t)k * step] / norm;
        if (lane() == 0) norms[row] = norm;
    }
}

// Cosines between vectors, (vectors, vectors), become their signs, 0 on the diagonal; magnitudes[i] = Σ |c[i][j]|
// over the others. A warp takes a row.
extern "C" __global__ void cosine_signs(float *c, float *magnitudes, unsigned vectors) {
    for (unsigned row = first_row(); row < vectors; row += row_step()) {
        float *own = c + (size_t)row * vectors, sum = 0.0f;
        for (unsigned j = lane(); j < vectors; j += 32) {
            float cosine = own[j];
            if (j != row) sum += fabsf(cosine);
            own[j] = j == row ? 0.0f : cosine >= 0.0f ? 1.0f : -1.0f;
        }
        sum = warp_sum(sum);
        if (lane() == 0) magnitudes[row] = sum;
    }
}

// d += factor (Σ sᵢⱼ uⱼ - magnitudeᵢ uᵢ) / normᵢ, with the sums in g (vectors, len).
extern "C" __global__ void add_orthogonality(const float *u, const float *g, const float *magnitudes, const float *norms, float *d, unsigned len, unsigned stride, unsigned step, float factor, unsigned all) {
    unsigned i = this_thread();
    if (i >= all) return;
    unsigned row = i / len, k = i % len;
    d[(size_t)row * stride + (size_t)k * step] += factor / norms[row] * (g[i] - magnitudes[row] * u[i]);
}
