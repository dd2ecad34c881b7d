// The connectionist temporal classification of one sequence: a line is the logits (steps, CLASSES) of a
// sample, its targets are the label. By a block, a thread for each place of the label with a blank around
// every symbol. The largest of the logarithms of every step is taken away from them, as on the CPU.

// ln(e^a + e^b)
__device__ __forceinline__ float add_logarithms(float a, float b) {
    float less = a < b ? a : b, more = a < b ? b : a;
    return less == __int_as_float(0xff800000) ? more : more + log1pf(expf(less - more));
}

__device__ __forceinline__ unsigned class_at(const Line &line, unsigned place) {
    float symbol = place % 2 ? line.t[place / 2] : 0.0f;
    return symbol > 0.0f && symbol < (float)CLASSES ? (unsigned)symbol : 0;
}

// Whether a path may come from two places before: from another symbol, without a blank.
__device__ __forceinline__ bool skips(const Line &line, unsigned place) {
    return place % 2 == 1 && place > 1 && line.t[place / 2] != line.t[place / 2 - 1];
}

// Takes the largest of some logarithms away from all, and returns it; 0 if it is infinite.
__device__ __forceinline__ float take_largest(const Line &line, float *x, unsigned count) {
    float most = __int_as_float(0xff800000);
    for (unsigned i = line.first; i < count; i += line.threads) most = larger(most, x[i]);
    most = line_max(line, most);
    if (fabsf(most) == __int_as_float(0x7f800000)) most = 0.0f;
    for (unsigned i = line.first; i < count; i += line.threads) x[i] -= most;
    __syncthreads();
    return most;
}

__device__ float program(const Line &line, float factor) {
    const float none = __int_as_float(0xff800000);
    unsigned length = line.lines->targets / line.lines->count, steps = line.width / CLASSES;
    float symbols = 0.0f;
    for (unsigned i = line.first; i < length; i += line.threads) symbols += line.t[i] != 0.0f ? 1.0f : 0.0f;
    unsigned places = 2 * (unsigned)line_sum(line, symbols) + 1;
    float *totals = line.memory, *betas = totals + steps, *after = betas + places, *alphas = after + places;
    // ln Σ e^logit of every step
    for (unsigned step = line.first; step < steps; step += line.threads) {
        const float *z = line.p + (size_t)step * CLASSES;
        float most = none, sum = 0.0f;
        for (unsigned i = 0; i < CLASSES; i++) most = fmaxf(most, z[i]);
        for (unsigned i = 0; i < CLASSES; i++) sum += expf(z[i] - most);
        totals[step] = most + logf(sum);
    }
    __syncthreads();
    // The sums of all paths to a place, with the symbol there.
    double taken = 0.0;
    for (unsigned step = 0; step < steps; step++) {
        float *now = alphas + (size_t)step * places, *before = now - places;
        for (unsigned at = line.first; at < places; at += line.threads) {
            float sum = at < 2 ? 0.0f : none;
            if (step > 0) {
                sum = at > 0 ? add_logarithms(before[at], before[at - 1]) : before[at];
                if (skips(line, at)) sum = add_logarithms(sum, before[at - 2]);
            }
            now[at] = sum + line.p[(size_t)step * CLASSES + class_at(line, at)] - totals[step];
        }
        __syncthreads();
        taken += take_largest(line, now, places);
    }
    float end = places == 1 ? 0.0f : none;
    if (steps > 0) {
        const float *last = alphas + (size_t)(steps - 1) * places;
        end = places > 1 ? add_logarithms(last[places - 2], last[places - 1]) : last[0];
    }
    float value = (float)-(taken + end);
    if (!line.d) return value;
    bool is_possible = end != none;
    for (unsigned i = line.first; i < line.width; i += line.threads) {
        line.d[i] = is_possible ? factor * expf(line.p[i] - totals[i / CLASSES]) : 0.0f;
    }
    for (unsigned at = line.first; at < places; at += line.threads) betas[at] = at + 2 >= places ? 0.0f : none;
    __syncthreads();
    for (unsigned step = steps; is_possible && step-- > 0;) {
        float *paths = alphas + (size_t)step * places;
        for (unsigned at = line.first; at < places; at += line.threads) paths[at] += betas[at];
        take_largest(line, paths, places);
        // The share of the paths that go through a class: the blank's is summed by all, another one's by its
        // first place.
        float all = 0.0f, blanks = 0.0f;
        for (unsigned at = line.first; at < places; at += line.threads) {
            paths[at] = expf(paths[at]);
            all += paths[at];
            if (class_at(line, at) == 0) blanks += paths[at];
        }
        all = line_sum(line, all);
        blanks = line_sum(line, blanks);
        float *d = line.d + (size_t)step * CLASSES;
        if (line.first == 0) d[0] -= factor * blanks / all;
        for (unsigned at = 2 * line.first + 1; at < places; at += 2 * line.threads) {
            unsigned own = class_at(line, at);
            float sum = 0.0f;
            for (unsigned other = 1; other < places; other += 2) {
                if (class_at(line, other) != own) continue;
                if (other < at) own = 0;
                sum += paths[other];
            }
            if (own > 0) d[own] -= factor * sum / all;
        }
        // The sums of all paths from a place, for the step before.
        for (unsigned at = line.first; at < places; at += line.threads) {
            betas[at] += line.p[(size_t)step * CLASSES + class_at(line, at)] - totals[step];
        }
        __syncthreads();
        for (unsigned at = line.first; at < places; at += line.threads) {
            float sum = betas[at];
            if (at + 1 < places) sum = add_logarithms(sum, betas[at + 1]);
            if (at + 2 < places && skips(line, at + 2)) sum = add_logarithms(sum, betas[at + 2]);
            after[at] = sum;
        }
        __syncthreads();
        take_largest(line, after, places);
        float *old = betas;
        betas = after;
        after = old;
    }
    return value;
}
