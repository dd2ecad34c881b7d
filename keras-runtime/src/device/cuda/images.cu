// Bilinear interpolation between the centres of pixels; images (batch, height, width, channels).

struct Sizes { unsigned height, width, channels, top, left, window_height, window_width, out_height, out_width; };

// The two pixels of an axis that a pixel of the output lies between, with their weights.
struct Between { unsigned pixels[2]; float weights[2]; };

__device__ __forceinline__ Between between(unsigned at, unsigned output, unsigned start, unsigned input) {
    // In double precision as on the CPU: the weights are differences of large numbers.
    double centre = ((double)at + 0.5) * (double)input / (double)output - 0.5;
    centre = fmin(fmax(centre, 0.0), (double)(input - 1));
    unsigned first = (unsigned)centre;
    unsigned second = first + 1 < input ? first + 1 : input - 1;
    float weight = (float)(centre - (double)first);
    Between pair;
    pair.pixels[0] = start + first;
    pair.pixels[1] = start + second;
    pair.weights[0] = 1.0f - weight;
    pair.weights[1] = weight;
    return pair;
}

// y = the window of x, resized
extern "C" __global__ void resize(const float *x, float *y, Sizes s, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    unsigned channel = i % s.channels, rest = i / s.channels;
    unsigned column = rest % s.out_width; rest /= s.out_width;
    unsigned row = rest % s.out_height, image = rest / s.out_height;
    Between rows = between(row, s.out_height, s.top, s.window_height);
    Between columns = between(column, s.out_width, s.left, s.window_width);
    float sum = 0.0f;
    for (int a = 0; a < 2; a++) {
        for (int b = 0; b < 2; b++) {
            size_t at = (((size_t)image * s.height + rows.pixels[a]) * s.width + columns.pixels[b]) * s.channels + channel;
            sum += rows.weights[a] * columns.weights[b] * x[at];
        }
    }
    y[i] = sum;
}

// dx = Σ weight dy over the pixels of the output that see x, a thread for each number of dx
extern "C" __global__ void resize_gradient(const float *dy, float *dx, Sizes s, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    unsigned channel = i % s.channels, rest = i / s.channels;
    unsigned column = rest % s.width; rest /= s.width;
    unsigned row = rest % s.height, image = rest / s.height;
    float sum = 0.0f;
    for (unsigned out_row = 0; out_row < s.out_height; out_row++) {
        Between rows = between(out_row, s.out_height, s.top, s.window_height);
        float row_weight = (rows.pixels[0] == row ? rows.weights[0] : 0.0f) + (rows.pixels[1] == row ? rows.weights[1] : 0.0f);
        if (row_weight == 0.0f) continue;
        for (unsigned out_column = 0; out_column < s.out_width; out_column++) {
            Between columns = between(out_column, s.out_width, s.left, s.window_width);
            float weight = (columns.pixels[0] == column ? columns.weights[0] : 0.0f) + (columns.pixels[1] == column ? columns.weights[1] : 0.0f);
            if (weight == 0.0f) continue;
            size_t at = (((size_t)image * s.out_height + out_row) * s.out_width + out_column) * s.channels + channel;
            sum += row_weight * weight * dy[at];
        }
    }
    dx[i] = sum;
}
