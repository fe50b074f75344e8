/* The three passes over P, for one type of its entries: included by
 * fdivergence.c once for each, with `real` and TYPED(name) defined.
 */

/* Sums by position in a block of lanes, then by column. */
static void TYPED(proportions)(gem_fdiv *state, const real *p, size_t rows)
{
    const size_t k = state->k, width = GEM_LANES * k;
    const double low = state->epsilon, high = 1.0 - state->epsilon;
    double *restrict sum = (double *)tiles(state, TILE_P);
    double moved = 0.0;
    while (rows) {
        size_t block = rows < GEM_FDIV_BLOCK ? rows : GEM_FDIV_BLOCK;
        for (size_t at = 0; at < width; at++)
            sum[at] = 0.0;
        for (size_t done = 0; done < block; done += GEM_LANES) {
            size_t size = block - done < GEM_LANES ? (block - done) * k : width;
            const real *restrict part = p + done * k;
            _Pragma("omp simd reduction(+ : moved)")
            for (size_t at = 0; at < size; at++) {
                double x = (double)part[at], y = clip(x, low, high);
                sum[at] += y;
                moved += fabs(x - y);
            }
        }
        for (size_t j = 0; j < k; j++) {
            gem_lanes column;
            for (size_t i = 0; i < GEM_LANES; i++)
                column[i] = sum[i * k + j];
            add(&vector(state, PI)[j], &vector(state, INV_PI)[j],
                gem_lanes_sum(column, GEM_LANES));
        }
        p += block * k;
        rows -= block;
    }
    state->moved += moved;
}

static void TYPED(rows)(gem_fdiv *state, const real *p, real *gradient, size_t rows)
{
    const size_t k = state->k;
    const gem_formula *formula = &formulas[state->kind];
    const int through_pi = gradient && formula->through_pi;
    gem_lanes value, total;
    gem_lanes *tile = tiles(state, TILE_P), *direct = tiles(state, TILE_DIRECT);
    const gem_rows block = rows_of(state, value);
    if (trivial(state)) {
        for (size_t at = 0; gradient && at < rows * k; at++)
            gradient[at] = 0;
        return;
    }
    clear_lanes(&total, 1);
    clear_lanes(block.dpi, k);
    for (size_t done = 0; done < rows; done += GEM_LANES) {
        size_t count = rows - done < GEM_LANES ? rows - done : GEM_LANES;
        if (done && (done % GEM_FDIV_BLOCK == 0 || count < GEM_LANES))
            flush_lanes(state, total, GEM_LANES, through_pi);
        TYPED(gem_tile_load)(tile, p + done * k, count, k);
        clip_tile(state, tile);
        formula->rows(&block, gradient != NULL);
        GEM_FOR_LANES(i) total[i] += value[i];
        if (gradient) {
            scale_tile(state, block.p, direct);
            TYPED(gem_tile_store)((const gem_lanes *)direct, gradient + done * k,
                                  count, k);
        }
        if (done + count == rows)
            flush_lanes(state, total, count, through_pi);
    }
}

static void TYPED(spread)(const gem_fdiv *state, const real *p, real *gradient,
                          size_t rows)
{
    const size_t k = state->k;
    const double low = state->epsilon, high = 1.0 - state->epsilon;
    const double *restrict spread = vector(state, SPREAD);
    if (trivial(state) || !formulas[state->kind].through_pi)
        return;
    fill_spread(state);
    for (size_t i = 0; i < rows; i++, p += k, gradient += k)
        for (size_t j = 0; j < k; j++) {
            double x = (double)p[j];
            double g = (double)gradient[j] + spread[j];
            gradient[j] = (real)(x > low && x < high ? g : 0.0);
        }
}
