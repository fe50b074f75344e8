/* The products for one type of entries: included by dense.c once for each, with
 * `real` and TYPED(name) defined.
 */

static void TYPED(pack)(const real *w, const real *b, size_t d, size_t m, double *panel)
{
    const size_t width = width_of(m);
    memset(panel, 0, (d + 1) * width * sizeof *panel);
    for (size_t c = 0; c < d; c++)
        for (size_t j = 0; j < m; j++)
            panel[c * width + j] = w[c * m + j];
    for (size_t j = 0; b && j < m; j++)
        panel[d * width + j] = b[j];
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

/* What add_products does with row r of its sums, s##r##0 to s##r##2. */
#define AT(r, v) (sums + (r) * width + (v) * GEM_VEC_LANES)
#define LOAD(r)                                                                        \
    do {                                                                               \
        s##r##0 = gem_vec_load(AT(r, 0));                                              \
        s##r##1 = vectors > 1 ? gem_vec_load(AT(r, 1)) : s##r##0;                      \
        s##r##2 = vectors > 2 ? gem_vec_load(AT(r, 2)) : s##r##0;                      \
    } while (0)
#define ADD(r)                                                                         \
    do {                                                                               \
        const gem_vec factor = gem_vec_all((double)a[r * a_row]);                      \
        s##r##0 = gem_vec_muladd(factor, b0, s##r##0);                                 \
        if (vectors > 1)                                                               \
            s##r##1 = gem_vec_muladd(factor, b1, s##r##1);                             \
        if (vectors > 2)                                                               \
            s##r##2 = gem_vec_muladd(factor, b2, s##r##2);                             \
    } while (0)
#define STORE(r)                                                                       \
    do {                                                                               \
        gem_vec_store(AT(r, 0), s##r##0);                                              \
        if (vectors > 1)                                                               \
            gem_vec_store(AT(r, 1), s##r##1);                                          \
        if (vectors > 2)                                                               \
            gem_vec_store(AT(r, 2), s##r##2);                                          \
    } while (0)

/* sums[r, :] += sum_i a[r, i] b[i, :] for `rows` rows, ROWS or 1, and a number of
 * vectors that are constants where it is called. */
GEM_INLINE void TYPED(add_products)(const real *restrict a, size_t a_row, size_t a_next,
                                    const double *restrict b, size_t count,
                                    double *restrict sums, size_t width, const int rows,
                                    const int vectors)
{
    gem_vec s00, s01, s02, s10, s11, s12, s20, s21, s22, s30, s31, s32;
    LOAD(0);
    s10 = s11 = s12 = s20 = s21 = s22 = s30 = s31 = s32 = s00;
    if (rows > 1) {
        LOAD(1);
        LOAD(2);
        LOAD(3);
    }
    for (size_t i = 0; i < count; i++, a += a_next, b += width) {
        const gem_vec b0 = gem_vec_load(b);
        const gem_vec b1 = vectors > 1 ? gem_vec_load(b + GEM_VEC_LANES) : b0;
        const gem_vec b2 = vectors > 2 ? gem_vec_load(b + 2 * GEM_VEC_LANES) : b0;
        ADD(0);
        if (rows > 1) {
            ADD(1);
            ADD(2);
            ADD(3);
        }
    }
    STORE(0);
    if (rows > 1) {
        STORE(1);
        STORE(2);
        STORE(3);
    }
}

#undef AT
#undef LOAD
#undef ADD
#undef STORE

/* The same for any width, with as many columns at a time as registers hold. */
GEM_INLINE void TYPED(add_rows)(const real *a, size_t a_row, size_t a_next,
                                const double *b, size_t count, double *sums,
                                size_t width, const int rows)
{
    for (size_t j = 0; j < width; j += VECTORS * GEM_VEC_LANES)
        switch ((width - j) / GEM_VEC_LANES) {
        case 1:
            TYPED(add_products)(a, a_row, a_next, b + j, count, sums + j, width, rows,
                                1);
            break;
        case 2:
            TYPED(add_products)(a, a_row, a_next, b + j, count, sums + j, width, rows,
                                2);
            break;
        default:
            TYPED(add_products)(a, a_row, a_next, b + j, count, sums + j, width, rows,
                                3);
        }
}

/* The same for any number of rows up to ROWS. */
static void TYPED(add_group)(const real *a, size_t a_row, size_t a_next,
                             const double *b, size_t count, double *sums, size_t width,
                             size_t rows)
{
    if (rows == ROWS)
        TYPED(add_rows)(a, a_row, a_next, b, count, sums, width, ROWS);
    else
        for (size_t r = 0; r < rows; r++)
            TYPED(add_rows)(a + r * a_row, a_row, a_next, b, count, sums + r * width,
                            width, 1);
}

static void TYPED(affine)(const real *x, size_t rows, size_t d, const double *panel,
                          size_t m, real *out)
{
    const size_t width = width_of(m);
    double sums[ROWS * GEM_DENSE_COLUMNS];
    for (size_t i = 0; i < rows; i += ROWS) {
        const size_t count = rows - i < ROWS ? rows - i : ROWS;
        for (size_t r = 0; r < count; r++)
            memcpy(sums + r * width, panel + d * width, width * sizeof *sums);
        TYPED(add_group)(x + i * d, d, 1, panel, d, sums, width, count);
        for (size_t r = 0; r < count; r++)
            for (size_t j = 0; j < m; j++)
                out[(i + r) * m + j] = (real)sums[r * width + j];
    }
}

static void TYPED(moments)(const real *x, const real *t, size_t rows, size_t d,
                           size_t m, double *panel)
{
    const size_t width = width_of(m);
    const real one = 1;
    double padded[BLOCK * GEM_DENSE_COLUMNS];
    memset(padded, 0, BLOCK * width * sizeof *padded);
    for (size_t i = 0; i < rows; i += BLOCK) {
        const size_t count = rows - i < BLOCK ? rows - i : BLOCK;
        for (size_t r = 0; r < count; r++)
            for (size_t j = 0; j < m; j++)
                padded[r * width + j] = (double)t[(i + r) * m + j];
        TYPED(add_group)(&one, 0, 0, padded, count, panel + d * width, width, 1);
        for (size_t c = 0; c < d; c += ROWS)
            TYPED(add_group)(x + i * d + c, 1, d, padded, count, panel + c * width,
                             width, d - c < ROWS ? d - c : ROWS);
    }
}
