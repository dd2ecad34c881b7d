// Convolutions as matrix products of the patches under the windows: images (batch, rows, columns,
// channels), patches (batch · output rows · output columns, window rows · window columns · channels
// of the group).

// input = output · stride + tap · dilation - before
struct Axis { unsigned input, output, window, stride, dilation, before; };

// channels of the image, the first one of the group, and how many it has
struct Geometry { Axis rows, columns; unsigned channels, first, count; };

// patches = the numbers under each window, 0 beside the image.
extern "C" __global__ void im2col(const float *x, float *patches, Geometry g, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    unsigned channel = i % g.count, rest = i / g.count;
    unsigned tap_column = rest % g.columns.window; rest /= g.columns.window;
    unsigned tap_row = rest % g.rows.window; rest /= g.rows.window;
    unsigned column = rest % g.columns.output; rest /= g.columns.output;
    unsigned row = rest % g.rows.output, image = rest / g.rows.output;
    // Beside the image they wrap round to something large.
    row = row * g.rows.stride + tap_row * g.rows.dilation - g.rows.before;
    column = column * g.columns.stride + tap_column * g.columns.dilation - g.columns.before;
    bool is_inside = row < g.rows.input && column < g.columns.input;
    size_t at = (((size_t)image * g.rows.input + row) * g.columns.input + column) * g.channels + g.first + channel;
    patches[i] = is_inside ? x[at] : 0.0f;
}

// dx = Σ d_patches over the windows that see a number of the image, of one group's channels.
extern "C" __global__ void col2im(const float *d_patches, float *dx, Geometry g, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    unsigned channel = i % g.count, rest = i / g.count;
    unsigned column = rest % g.columns.input; rest /= g.columns.input;
    unsigned row = rest % g.rows.input, image = rest / g.rows.input;
    float sum = 0.0f;
    for (unsigned tap_row = 0; tap_row < g.rows.window; tap_row++) {
        unsigned from_row = row + g.rows.before - tap_row * g.rows.dilation;
        unsigned out_row = from_row / g.rows.stride;
        if (from_row > row + g.rows.before || from_row % g.rows.stride || out_row >= g.rows.output) continue;
        for (unsigned tap_column = 0; tap_column < g.columns.window; tap_column++) {
            unsigned from_column = column + g.columns.before - tap_column * g.columns.dilation;
            unsigned out_column = from_column / g.columns.stride;
            if (from_column > column + g.columns.before || from_column % g.columns.stride || out_column >= g.columns.output) continue;
            size_t patch = ((size_t)image * g.rows.output + out_row) * g.columns.output + out_column;
            size_t tap = tap_row * g.columns.window + tap_column;
            sum += d_patches[(patch * g.rows.window * g.columns.window + tap) * g.count + channel];
        }
    }
    dx[(((size_t)image * g.rows.input + row) * g.columns.input + column) * g.channels + g.first + channel] = sum;
}
