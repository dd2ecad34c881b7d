// Activations: y = f(x), and dx = f'(x) dy. `formula` is the function or its derivative; softmax and
// its kin work along rows, a warp for each row.

#ifdef VALUE
// y[i] = f(x[i])
extern "C" __global__ void activate(const float *x, float *y, Constants k, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    float value;
    formula(&x[i], k, &value);
    y[i] = value;
}
#elif defined SLOPE
// dx[i] = f'(x[i], y[i]) dy[i]
extern "C" __global__ void activation_gradient(const float *x, const float *y, const float *dy, float *dx, Constants k, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    float pair[2] = {x[i], y[i]}, slope;
    formula(pair, k, &slope);
    dx[i] = dy[i] * slope;
}
#else

// y = e^x / Σ e^x
extern "C" __global__ void softmax(const float *x, float *y, unsigned rows, unsigned width) {
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        const float *from = x + (size_t)row * width;
        float *to = y + (size_t)row * width;
        float most = row_max(from, width), sum = 0.0f;
        for (unsigned i = lane(); i < width; i += 32) sum += expf(from[i] - most);
        float scale = 1.0f / warp_sum(sum);
        for (unsigned i = lane(); i < width; i += 32) to[i] = expf(from[i] - most) * scale;
    }
}

// dx = y (dy - Σ dy y)
extern "C" __global__ void softmax_gradient(const float *y, const float *dy, float *dx, unsigned rows, unsigned width) {
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        size_t first = (size_t)row * width;
        float dot = 0.0f;
        for (unsigned i = lane(); i < width; i += 32) dot += dy[first + i] * y[first + i];
        dot = warp_sum(dot);
        for (unsigned i = lane(); i < width; i += 32) dx[first + i] = y[first + i] * (dy[first + i] - dot);
    }
}

// y = x - ln(Σ e^x)
extern "C" __global__ void log_softmax(const float *x, float *y, unsigned rows, unsigned width) {
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        const float *from = x + (size_t)row * width;
        float *to = y + (size_t)row * width;
        float most = row_max(from, width), sum = 0.0f;
        for (unsigned i = lane(); i < width; i += 32) sum += expf(from[i] - most);
        float log = logf(warp_sum(sum));
        for (unsigned i = lane(); i < width; i += 32) to[i] = from[i] - most - log;
    }
}

// dx = dy - e^y Σ dy
extern "C" __global__ void log_softmax_gradient(const float *y, const float *dy, float *dx, unsigned rows, unsigned width) {
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        size_t first = (size_t)row * width;
        float sum = 0.0f;
        for (unsigned i = lane(); i < width; i += 32) sum += dy[first + i];
        sum = warp_sum(sum);
        for (unsigned i = lane(); i < width; i += 32) dx[first + i] = dy[first + i] - expf(y[first + i]) * sum;
    }
}

// y = max(x - floor, 0) with the floor for which a row adds up to 1. It grows from one round to the
// next: whoever is not above it is not in the sum any more.
extern "C" __global__ void sparsemax(const float *x, float *y, unsigned rows, unsigned width) {
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        const float *from = x + (size_t)row * width;
        float *to = y + (size_t)row * width;
        float most = row_max(from, width);
        float floor = most - 1.0f, before = -1.0f;
        for (;;) {
            float total = 0.0f, count = 0.0f;
            for (unsigned i = lane(); i < width; i += 32) {
                if (from[i] > floor) total += from[i] - most, count += 1.0f;
            }
            total = warp_sum(total);
            count = warp_sum(count);
            if (count == 0.0f || count == before) break;
            before = count;
            floor = most + (total - 1.0f) / count;
        }
        for (unsigned i = lane(); i < width; i += 32) {
            float above = from[i] - floor;
            to[i] = above < 0.0f ? 0.0f : above;
        }
    }
}

// dx = dy - mean(dy) over the numbers where y > 0, 0 elsewhere
extern "C" __global__ void sparsemax_gradient(const float *y, const float *dy, float *dx, unsigned rows, unsigned width) {
    for (unsigned row = first_row(); row < rows; row += row_step()) {
        size_t first = (size_t)row * width;
        float total = 0.0f, count = 0.0f;
        for (unsigned i = lane(); i < width; i += 32) {
            if (y[first + i] > 0.0f) total += dy[first + i], count += 1.0f;
        }
        float mean = warp_sum(total) / warp_sum(count);
        for (unsigned i = lane(); i < width; i += 32) dx[first + i] = y[first + i] > 0.0f ? dy[first + i] - mean : 0.0f;
    }
}

// y = a sigmoid(b) for rows [a, b] of x, half = width / 2 numbers each
extern "C" __global__ void glu(const float *x, float *y, unsigned half, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    const float *from = x + (size_t)(i / half) * 2 * half + i % half;
    y[i] = from[0] / (1.0f + expf(-from[half]));
}

// dx = [dy s, dy a s (1 - s)], s = sigmoid(b)
extern "C" __global__ void glu_gradient(const float *x, const float *dy, float *dx, unsigned half, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    size_t at = (size_t)(i / half) * 2 * half + i % half;
    // e^-b stays finite, for ∞ · 0 is no number.
    float e = expf(-fmaxf(x[at + half], -80.0f));
    float s = 1.0f / (1.0f + e);
    dx[at] = dy[i] * s;
    dx[at + half] = dy[i] * x[at] * s * (e * s);
}
#endif
