/* The products for one type of entries: included by dense.c once for each, with
 * `real`, TYPED(name) and MULADD defined. Functions called *_group take up to ROWS rows
 * and a width that is a constant where they are called, which unrolls them.
 */

static void TYPED(pack)(const real *w, const real *b, size_t d, size_t m, real *panel)
{
    const size_t width = width_of(m);
    memset(panel, 0, (d + 1) * width * sizeof *panel);
    for (size_t c = 0; c < d; c++)
        memcpy(panel + c * width, w + c * m, m * sizeof *panel);
    memcpy(panel + d * width, b, m * sizeof *panel);
}

static void TYPED(unpack)(const double *panel, size_t d, size_t m, real *w, real *b)
{
    const size_t width = width_of(m);
    for (size_t c = 0; c < d; c++)
        for (size_t j = 0; j < m; j++)
            w[c * m + j] = (real)panel[c * width + j];
    for (size_t j = 0; j < m; j++)
        b[j] = (real)panel[d * width + j];
}

GEM_INLINE void TYPED(affine_group)(const real *restrict x, size_t rows, size_t d,
                                    const real *restrict panel, size_t m,
                                    real *restrict out, const size_t width)
{
    const real *x1 = x + d * row_or_last(1, rows), *x2 = x + d * row_or_last(2, rows);
    const real *x3 = x + d * row_or_last(3, rows);
    real sum[ROWS][GEM_DENSE_COLUMNS];
    for (size_t j = 0; j < width; j++)
        sum[0][j] = sum[1][j] = sum[2][j] = sum[3][j] = panel[d * width + j];
    for (size_t c = 0; c < d; c++) {
        const real *w = panel + c * width;
        GEM_SIMD
        for (size_t j = 0; j < width; j++) {
            sum[0][j] = MULADD(x[c], w[j], sum[0][j]);
            sum[1][j] = MULADD(x1[c], w[j], sum[1][j]);
            sum[2][j] = MULADD(x2[c], w[j], sum[2][j]);
            sum[3][j] = MULADD(x3[c], w[j], sum[3][j]);
        }
    }
    for (size_t i = 0; i < ROWS && i < rows; i++)
        for (size_t j = 0; j < m; j++)
            out[i * m + j] = sum[i][j];
}

GEM_INLINE void TYPED(moments_group)(const real *restrict x, const real *restrict t,
                                     size_t rows, size_t d, size_t m,
                                     double *restrict panel, const size_t width)
{
    const real *x1 = x + d * row_or_last(1, rows), *x2 = x + d * row_or_last(2, rows);
    const real *x3 = x + d * row_or_last(3, rows);
    double y[ROWS][GEM_DENSE_COLUMNS] = {{0.0}};
    for (size_t i = 0; i < ROWS && i < rows; i++)
        for (size_t j = 0; j < m; j++)
            y[i][j] = t[i * m + j];
    for (size_t c = 0; c < d; c++) {
        double *w = panel + c * width;
        const double a0 = x[c], a1 = x1[c], a2 = x2[c], a3 = x3[c];
        GEM_SIMD
        for (size_t j = 0; j < width; j++) {
            double sum = GEM_MULADD(a0, y[0][j], w[j]);
            sum = GEM_MULADD(a1, y[1][j], sum);
            sum = GEM_MULADD(a2, y[2][j], sum);
            w[j] = GEM_MULADD(a3, y[3][j], sum);
        }
    }
    GEM_SIMD
    for (size_t j = 0; j < width; j++)
        panel[d * width + j] =
            panel[d * width + j] + y[0][j] + y[1][j] + y[2][j] + y[3][j];
}

#define EACH_GROUP(call)                                                           \
    for (size_t i = 0; i < rows; i += ROWS)                                        \
        call
#define BY_WIDTH(name, ...)                                                        \
    switch (width_of(m)) {                                                         \
    case 4:                                                                        \
        EACH_GROUP(TYPED(name)(__VA_ARGS__, 4));                                   \
        break;                                                                     \
    case 8:                                                                        \
        EACH_GROUP(TYPED(name)(__VA_ARGS__, 8));                                   \
        break;                                                                     \
    case 12:                                                                       \
        EACH_GROUP(TYPED(name)(__VA_ARGS__, 12));                                  \
        break;                                                                     \
    default:                                                                       \
        EACH_GROUP(TYPED(name)(__VA_ARGS__, 16));                                  \
    }

static void TYPED(affine)(const real *x, size_t rows, size_t d, const real *panel,
                          size_t m, real *out)
{
    BY_WIDTH(affine_group, x + i * d, rows - i, d, panel, m, out + i * m)
}

static void TYPED(moments)(const real *x, const real *t, size_t rows, size_t d, size_t m,
                           double *panel)
{
    BY_WIDTH(moments_group, x + i * d, t + i * m, rows - i, d, m, panel)
}

#undef BY_WIDTH
#undef EACH_GROUP
