/* The three passes over P, for one type of its entries: included by
 * fdivergence.c once for each, with `real` and TYPED(name) defined.
 */

static void TYPED(proportions)(gem_fdiv *state, const real *p, size_t rows)
{
    const size_t k = state->k, strip_rows = state->strip_rows;
    const size_t fold_rows = rows_of_sum(strip_rows);
    const double low = state->epsilon, high = 1.0 - state->epsilon;
    double *restrict sum = strip_vector(state, VALUE);
    double moved = 0.0;
    memset(sum, 0, strip_rows * k * sizeof *sum);
    for (size_t done = 0; done < rows; done += strip_rows) {
        const size_t count = rows - done < strip_rows ? rows - done : strip_rows;
        const real *restrict part = p + done * k;
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

static void TYPED(rows)(gem_fdiv *state, const real *p, real *gradient, size_t rows)
{
    const size_t k = state->k, strip_rows = state->strip_rows;
    const size_t fold_rows = rows_of_sum(strip_rows);
    const double low = state->epsilon, high = 1.0 - state->epsilon;
    const gem_formula *formula = &formulas[state->kind];
    const double scale = formula->factor / (double)state->n;
    double *restrict clipped = strip_vector(state, CLIPPED);
    const double *restrict direct = strip_vector(state, DIRECT);
    gem_strip strip = strip_of(state);
    if (trivial(state)) {
        if (gradient)
            memset(gradient, 0, rows * k * sizeof *gradient);
        return;
    }
    memset(strip.value, 0, strip_rows * k * sizeof(double));
    memset(strip.dpi, 0, strip_rows * k * sizeof(double));
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
        formula->add(&strip, gradient != NULL);
        if (gradient) {
            real *restrict g = gradient + done * k;
            EACH(at)
            {
                int inside = (clipped[at] > low) & (clipped[at] < high);
                g[at] = (real)(inside ? scale * direct[at] : 0.0);
            }
        }
        if ((done + count) % fold_rows == 0 || done + count == rows) {
            add_columns(state, VALUE_SUM, strip.value);
            if (gradient && formula->collect)
                formula->collect(&strip);
            if (gradient && formula->through_pi)
                add_columns(state, DPI_SUM, strip.dpi);
        }
    }
}

static void TYPED(spread)(const gem_fdiv *state, const real *p, real *gradient,
                          size_t rows)
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
        if (state->moved > 0.0)
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
