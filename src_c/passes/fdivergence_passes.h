/* The three passes over P, for one type of its entries: included by
 * fdivergence.c once for each, with `real` and TYPED(name) defined.
 */

static void TYPED(proportions)(gem_fdiv *state, const real *p, const double *weights,
                               size_t rows)
{
    const size_t k = state->k, strip_rows = state->strip_rows;
    const size_t fold_rows = rows_of_sum(strip_rows);
    const double low = state->epsilon, high = 1.0 - state->epsilon;
    double *restrict sum = strip_vector(state, VALUE);
    double moved = 0.0;
    add_weights(state, weights, rows);
    memset(sum, 0, strip_rows * k * sizeof *sum);
    for (size_t done = 0; done < rows; done += strip_rows) {
        const size_t count = rows - done < strip_rows ? rows - done : strip_rows;
        const real *restrict part = p + done * k;
        const double *restrict weight =
            entry_weights(state, weights ? weights + done : NULL, count);
        if (weight)
            _Pragma("omp simd reduction(+ : moved)") for (size_t at = 0; at < count * k;
                                                          at++)
            {
                double x = (double)part[at], y = clip(x, low, high);
                sum[at] = GEM_MULADD(weight[at], y, sum[at]);
                moved += fabs(x - y);
            }
        else
            _Pragma("omp simd reduction(+ : moved)") for (size_t at = 0; at < count * k;
                                                          at++)
            {
                double x = (double)part[at], y = clip(x, low, high);
                sum[at] += y;
                moved += fabs(x - y);
            }
        if ((done + count) % fold_rows == 0 || done + count == rows)
            add_columns(state, PI, sum);
    }
    state->moved += moved;
}

/* The direct terms of a strip, G without what comes through pi. */
static void TYPED(store_direct)(const gem_fdiv *state, const double *restrict weight,
                                double scale, real *restrict g, size_t size)
{
    const double low = state->epsilon, high = 1.0 - state->epsilon;
    const double *restrict clipped = strip_vector(state, CLIPPED);
    const double *restrict direct = strip_vector(state, DIRECT);
    if (weight)
        EACH(at)
        {
            int inside = (clipped[at] > low) & (clipped[at] < high);
            g[at] = (real)(inside ? scale * weight[at] * direct[at] : 0.0);
        }
    else
        EACH(at)
        {
            int inside = (clipped[at] > low) & (clipped[at] < high);
            g[at] = (real)(inside ? scale * direct[at] : 0.0);
        }
}

static void TYPED(rows)(gem_fdiv *state, const real *p, const double *weights,
                        real *gradient, size_t rows)
{
    const size_t k = state->k, strip_rows = state->strip_rows;
    const size_t fold_rows = rows_of_sum(strip_rows);
    const double low = state->epsilon, high = 1.0 - state->epsilon;
    const gem_formula *formula = &formulas[state->kind];
    const double scale = formula->factor / total_weight(state);
    /* Where the formula adds what is still to be multiplied by the weights. */
    const int apart = weights && !formula->weighs;
    double *restrict clipped = strip_vector(state, CLIPPED);
    double *value = strip_vector(state, VALUE), *dpi = strip_vector(state, DPI);
    gem_strip strip = strip_of(state);
    if (trivial(state)) {
        if (gradient)
            memset(gradient, 0, rows * k * sizeof *gradient);
        return;
    }
    memset(value, 0, strip_rows * k * sizeof(double));
    memset(dpi, 0, strip_rows * k * sizeof(double));
    if (apart) {
        strip.value = strip_vector(state, TERM);
        strip.dpi = strip_vector(state, SLOPE);
        memset(strip.value, 0, strip_rows * k * sizeof(double));
        memset(strip.dpi, 0, strip_rows * k * sizeof(double));
    }
    for (size_t done = 0; done < rows; done += strip_rows) {
        const size_t count = rows - done < strip_rows ? rows - done : strip_rows;
        const size_t size = strip.size = count * k;
        const real *restrict part = p + done * k;
        EACH(at) clipped[at] = clip((double)part[at], low, high);
#if defined(__AVX512F__) && defined(__GNUC__)
        /* With AVX-512 strips go by faster than processors fetch them by themselves. */
        if (done + 3 * strip_rows <= rows)
            for (size_t at = 0; at < size; at += LINE)
                __builtin_prefetch(part + 2 * size + at);
#endif
        strip.weights = weights ? weights + done : NULL;
        formula->add(&strip, gradient != NULL);
        const double *weight = entry_weights(state, strip.weights, count);
        if (apart) {
            add_weighted(value, weight, strip.value, size);
            if (gradient && formula->through_pi)
                add_weighted(dpi, weight, strip.dpi, size);
        }
        if (gradient)
            TYPED(store_direct)(state, weight, scale, gradient + done * k, size);
        if ((done + count) % fold_rows == 0 || done + count == rows) {
            add_columns(state, VALUE_SUM, value);
            if (gradient && formula->collect)
                formula->collect(&strip);
            if (gradient && formula->through_pi)
                add_columns(state, DPI_SUM, dpi);
        }
    }
}

static void TYPED(spread)(const gem_fdiv *state, const real *p, const double *weights,
                          real *gradient, size_t rows)
{
    const size_t k = state->k, width = state->strip_rows * k;
    const double low = state->epsilon, high = 1.0 - state->epsilon;
    const double *restrict spread = strip_vector(state, SPREAD);
    if (trivial(state) || !formulas[state->kind].through_pi)
        return;
    for (size_t done = 0; done < rows * k; done += width) {
        const size_t size = rows * k - done < width ? rows * k - done : width;
        const real *restrict part = p + done;
        real *restrict g = gradient + done;
        const double *restrict weight =
            entry_weights(state, weights ? weights + done / k : NULL, size / k);
        if (weight)
            EACH(at)
            {
                double x = (double)part[at], step = weight[at] * spread[at];
                int inside = (x > low) & (x < high);
                g[at] = (real)(inside ? (double)g[at] + step : 0.0);
            }
        else if (state->moved > 0.0)
            EACH(at)
            {
                double x = (double)part[at];
                int inside = (x > low) & (x < high);
                g[at] = (real)(inside ? (double)g[at] + spread[at] : 0.0);
            }
        else
            EACH(at) g[at] = (real)((double)g[at] + spread[at]);
    }
}
