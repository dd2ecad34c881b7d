// Normalization of the channels of x (outer, channels, inner): sums of each channel in parts, one
// thread for each channel that makes coefficients of them, and a pass over the numbers.

// Where number `row` of a channel lies; there are outer · inner of them.
__device__ __forceinline__ size_t number(unsigned row, unsigned channel, unsigned channels, unsigned inner) {
    return ((size_t)(row / inner) * channels + channel) * inner + row % inner;
}

// parts[p][0][c] = Σ d, parts[p][1][c] = Σ d (x - shift) over the numbers of part p, where d is dy or
// else x - shift. Without a shift it is the first number of the channel. A block has 32 channels side
// by side and 8 numbers at a time.
extern "C" __global__ void channel_parts(const float *x, const float *dy, const float *shift, float *parts, unsigned channels, unsigned inner, unsigned rows, unsigned rows_per_part) {
    __shared__ float sums[2][8][32];
    unsigned lane = threadIdx.x % 32, line = threadIdx.x / 32;
    unsigned channel = blockIdx.x * 32 + lane;
    unsigned first = blockIdx.y * rows_per_part;
    unsigned end = first + rows_per_part < rows ? first + rows_per_part : rows;
    float sum = 0.0f, product = 0.0f;
    if (channel < channels) {
        float from = shift ? shift[channel] : x[(size_t)channel * inner];
        for (unsigned row = first + line; row < end; row += 8) {
            size_t at = number(row, channel, channels, inner);
            float difference = x[at] - from;
            float d = dy ? dy[at] : difference;
            sum += d;
            product += d * difference;
        }
    }
    sums[0][line][lane] = sum;
    sums[1][line][lane] = product;
    __syncthreads();
    if (line == 0 && channel < channels) {
        for (int other = 1; other < 8; other++) {
            sum += sums[0][other][lane];
            product += sums[1][other][lane];
        }
        parts[(size_t)(2 * blockIdx.y) * channels + channel] = sum;
        parts[(size_t)(2 * blockIdx.y + 1) * channels + channel] = product;
    }
}

// The sums of a channel's parts.
__device__ __forceinline__ void add_channel(const float *parts, unsigned count, unsigned channels, unsigned channel, float *sum, float *product) {
    *sum = 0.0f;
    *product = 0.0f;
    for (unsigned part = 0; part < count; part++) {
        *sum += parts[(size_t)(2 * part) * channels + channel];
        *product += parts[(size_t)(2 * part + 1) * channels + channel];
    }
}

// From the sums: mean and 1 / sqrt(variance + epsilon), the moving averages, and the coefficients of
// y = a x + b.
extern "C" __global__ void batch_coefficients(const float *x, const float *parts, const float *gamma, const float *beta, float *moving_mean, float *moving_variance, float *mean, float *scale, float *a, float *b, unsigned channels, unsigned inner, unsigned count, float numbers, float epsilon, float momentum) {
    unsigned c = this_thread();
    if (c >= channels) return;
    float sum, squares;
    add_channel(parts, count, channels, c, &sum, &squares);
    float difference = sum / numbers;
    float variance = fmaxf(squares / numbers - difference * difference, 0.0f);
    float center = x[(size_t)c * inner] + difference;
    float factor = 1.0f / sqrtf(variance + epsilon);
    mean[c] = center;
    scale[c] = factor;
    moving_mean[c] = moving_mean[c] * momentum + center * (1.0f - momentum);
    moving_variance[c] = moving_variance[c] * momentum + variance * (1.0f - momentum);
    a[c] = factor * (gamma ? gamma[c] : 1.0f);
    b[c] = (beta ? beta[c] : 0.0f) - center * a[c];
}

// The same for a given mean and variance. Without a mean (on the way back) b is 0.
extern "C" __global__ void given_coefficients(const float *gamma, const float *beta, const float *mean, const float *variance, float *a, float *b, unsigned channels, float epsilon) {
    unsigned c = this_thread();
    if (c >= channels) return;
    a[c] = 1.0f / sqrtf(variance[c] + epsilon) * (gamma ? gamma[c] : 1.0f);
    b[c] = mean ? (beta ? beta[c] : 0.0f) - mean[c] * a[c] : 0.0f;
}

// d_beta = Σ dy, d_gamma = scale Σ dy (x - mean), and with `numbers` the coefficients of
// dx = a dy + b x + c. What is `scale` is a variance if there is an epsilon.
extern "C" __global__ void gradient_coefficients(const float *parts, const float *gamma, const float *mean, const float *scale, float *d_gamma, float *d_beta, float *coefficients, unsigned channels, unsigned count, float numbers, float epsilon) {
    unsigned i = this_thread();
    if (i >= channels) return;
    float sum, product;
    add_channel(parts, count, channels, i, &sum, &product);
    float factor = epsilon < 0.0f ? scale[i] : 1.0f / sqrtf(scale[i] + epsilon);
    if (d_beta) d_beta[i] = sum;
    if (d_gamma) d_gamma[i] = product * factor;
    if (coefficients) {
        // dx = a (dy - mean(dy) - z mean(dy z)), where z = (x - mean) scale and a = gamma scale.
        float a = factor * (gamma ? gamma[i] : 1.0f);
        float b = -a * factor * factor * product / numbers;
        coefficients[i] = a;
        coefficients[channels + i] = b;
        coefficients[2 * channels + i] = -a * sum / numbers - b * mean[i];
    }
}

// y = a x + b other + c for each channel; without `other` y = a x + c.
extern "C" __global__ void map_channels(const float *x, const float *other, const float *a, const float *b, const float *c, float *y, unsigned channels, unsigned inner, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    unsigned channel = i / inner % channels;
    float value = other ? fmaf(b[channel], other[i], c[channel]) : c[channel];
    y[i] = fmaf(a[channel], x[i], value);
}
