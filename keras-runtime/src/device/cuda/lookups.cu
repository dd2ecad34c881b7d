// Rows of a table by their numbers. A number that is not that of a row names none.

__device__ __forceinline__ bool names_row(float index, unsigned rows) {
    return index >= 0.0f && index < (float)rows && index == floorf(index);
}

// y[i][j] = table[indices[i]][j], a thread for each number of y: table (rows, width), y (.., width)
extern "C" __global__ void look_up(const float *table, const float *indices, float *y, unsigned rows, unsigned width, unsigned len) {
    unsigned at = this_thread();
    if (at >= len) return;
    float index = indices[at / width];
    y[at] = names_row(index, rows) ? table[(size_t)(unsigned)index * width + at % width] : nanf("");
}

// d_table[r][j] = Σ dy[i][j] over the i with indices[i] = r, in their order: a thread for each number of
// d_table, so that nothing is added by two at once.
extern "C" __global__ void look_up_gradient(const float *indices, const float *dy, float *d_table, unsigned count, unsigned width, unsigned len) {
    unsigned at = this_thread();
    if (at >= len) return;
    float row = (float)(at / width), sum = 0.0f;
    for (unsigned i = 0; i < count; i++) {
        if (indices[i] == row) sum += dy[(size_t)i * width + at % width];
    }
    d_table[at] = sum;
}
