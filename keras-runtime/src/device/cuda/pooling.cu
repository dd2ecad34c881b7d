// Pooling of images (batch, rows, columns, channels), a thread for each number that is written. What
// lies beside the image does not count.

struct Axis { unsigned input, output, window, stride, dilation, before; };
struct Geometry { Axis rows, columns; unsigned channels; };

// The inputs first .. end - 1 that the window at an output sees.
struct Range { unsigned first, end; };

__device__ __forceinline__ Range seen(const Axis &axis, unsigned output) {
    unsigned start = output * axis.stride;
    Range range;
    range.first = start > axis.before ? start - axis.before : 0;
    unsigned end = start + axis.window;
    end = end > axis.before ? end - axis.before : 0;
    range.end = end < axis.input ? end : axis.input;
    return range;
}

// The outputs first .. end - 1 whose windows see an input.
__device__ __forceinline__ Range seeing(const Axis &axis, unsigned input) {
    unsigned at = input + axis.before;
    Range range;
    range.first = at >= axis.window ? (at - axis.window) / axis.stride + 1 : 0;
    unsigned end = at / axis.stride + 1;
    range.end = end < axis.output ? end : axis.output;
    return range;
}

// A pixel and the channel of a number of an image of so many rows and columns.
struct Place { unsigned channel, column, row, image; };

__device__ __forceinline__ Place place(unsigned i, unsigned rows, unsigned columns, unsigned channels) {
    Place place;
    place.channel = i % channels; i /= channels;
    place.column = i % columns; i /= columns;
    place.row = i % rows;
    place.image = i / rows;
    return place;
}

__device__ __forceinline__ size_t at(const Place &p, unsigned row, unsigned column, unsigned rows, unsigned columns, unsigned channels) {
    return (((size_t)p.image * rows + row) * columns + column) * channels + p.channel;
}

// y = max of x under the window
extern "C" __global__ void max_pool(const float *x, float *y, Geometry g, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    Place p = place(i, g.rows.output, g.columns.output, g.channels);
    Range rows = seen(g.rows, p.row), columns = seen(g.columns, p.column);
    float largest = __int_as_float(0xff800000);
    for (unsigned row = rows.first; row < rows.end; row++) {
        for (unsigned column = columns.first; column < columns.end; column++) {
            float value = x[at(p, row, column, g.rows.input, g.columns.input, g.channels)];
            if (value > largest) largest = value;
        }
    }
    y[i] = largest;
}

// dx = Σ dy over the windows of which x is the largest number: the first of them, or with its share.
extern "C" __global__ void max_pool_gradient(const float *x, const float *y, const float *dy, float *dx, Geometry g, unsigned shared, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    Place p = place(i, g.rows.input, g.columns.input, g.channels);
    Range out_rows = seeing(g.rows, p.row), out_columns = seeing(g.columns, p.column);
    float own = x[i], sum = 0.0f;
    for (unsigned out_row = out_rows.first; out_row < out_rows.end; out_row++) {
        for (unsigned out_column = out_columns.first; out_column < out_columns.end; out_column++) {
            size_t output = at(p, out_row, out_column, g.rows.output, g.columns.output, g.channels);
            if (own != y[output]) continue;
            Range rows = seen(g.rows, out_row), columns = seen(g.columns, out_column);
            unsigned equal = 0, before = 0;
            for (unsigned row = rows.first; row < rows.end; row++) {
                for (unsigned column = columns.first; column < columns.end; column++) {
                    bool is_equal = x[at(p, row, column, g.rows.input, g.columns.input, g.channels)] == own;
                    equal += is_equal;
                    before += is_equal && (row < p.row || (row == p.row && column < p.column));
                }
            }
            if (shared) sum += dy[output] / (float)equal;
            else if (before == 0) sum += dy[output];
        }
    }
    dx[i] = sum;
}

// y = mean of x under the window
extern "C" __global__ void average_pool(const float *x, float *y, Geometry g, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    Place p = place(i, g.rows.output, g.columns.output, g.channels);
    Range rows = seen(g.rows, p.row), columns = seen(g.columns, p.column);
    float sum = 0.0f;
    for (unsigned row = rows.first; row < rows.end; row++) {
        for (unsigned column = columns.first; column < columns.end; column++) {
            sum += x[at(p, row, column, g.rows.input, g.columns.input, g.channels)];
        }
    }
    y[i] = sum * (1.0f / (float)((rows.end - rows.first) * (columns.end - columns.first)));
}

// dx = Σ dy / numbers under the window, over the windows that see x
extern "C" __global__ void average_pool_gradient(const float *dy, float *dx, Geometry g, unsigned len) {
    unsigned i = this_thread();
    if (i >= len) return;
    Place p = place(i, g.rows.input, g.columns.input, g.channels);
    Range out_rows = seeing(g.rows, p.row), out_columns = seeing(g.columns, p.column);
    float sum = 0.0f;
    for (unsigned out_row = out_rows.first; out_row < out_rows.end; out_row++) {
        for (unsigned out_column = out_columns.first; out_column < out_columns.end; out_column++) {
            Range rows = seen(g.rows, out_row), columns = seen(g.columns, out_column);
            float share = 1.0f / (float)((rows.end - rows.first) * (columns.end - columns.first));
            sum += share * dy[at(p, out_row, out_column, g.rows.output, g.columns.output, g.channels)];
        }
    }
    dx[i] = sum;
}

