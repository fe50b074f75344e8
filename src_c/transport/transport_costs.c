#include "transport_costs.h"

#include <math.h>
#include <stdlib.h>

/* 2^-46 of the largest cost: well above the rounding of a potential, which is a sum of
 * costs along the tree, and well below 1e-12. */
#define TOLERANCE 0x1p-46
#define TILE 64

/* Largest entry, or the position of the first one that is no cost. */
static int scan_entries(const double *d, size_t entries, double *largest, size_t *bad)
{
    double top = 0.0;
    for (size_t start = 0; start < entries; start += 4096) {
        const size_t stop = entries - start < 4096 ? entries : start + 4096;
        int good = 1;
        for (size_t k = start; k < stop; k++) {
            good &= d[k] >= 0.0;
            top = d[k] > top ? d[k] : top;
        }
        if (good && isfinite(top))
            continue;
        for (size_t k = start; k < stop; k++)
            if (!(d[k] >= 0.0) || isinf(d[k])) {
                *bad = k;
                return 0;
            }
    }
    *largest = top;
    return 1;
}

static int find_symmetry(const double *d, size_t n)
{
    for (size_t i0 = 0; i0 < n; i0 += TILE)
        for (size_t j0 = 0; j0 <= i0; j0 += TILE)
            for (size_t i = i0; i < i0 + TILE && i < n; i++)
                for (size_t j = j0; j < j0 + TILE && j < i; j++)
                    if (d[i * n + j] != d[j * n + i])
                        return 0;
    return 1;
}

gem_transport_status gem_transport_costs_create(const double *d, size_t n,
                                                int is_metric,
                                                gem_transport_costs **out, size_t *bad)
{
    double largest;
    size_t where;
    int exponent;

    *out = NULL;
    if (n == 0 || n > GEM_TRANSPORT_MAX_POINTS)
        return GEM_TRANSPORT_TOO_LARGE;
    if (!scan_entries(d, n * n, &largest, bad ? bad : &where))
        return GEM_TRANSPORT_BAD_COST;
    gem_transport_costs *costs = calloc(1, sizeof *costs);
    if (!costs)
        return GEM_TRANSPORT_NO_MEMORY;
    costs->d = d;
    costs->n = n;
    costs->is_zero = largest == 0.0;
    frexp(largest, &exponent);
    if (exponent < -1021) /* subnormal: 2^1022 is the largest exact inverse */
        exponent = -1021;
    costs->scale = ldexp(1.0, -exponent);
    costs->half_unscale = ldexp(1.0, exponent - 1);
    costs->tolerance = TOLERANCE;
    costs->stride16 = (n + GEM_LANES16 - 1) / GEM_LANES16 * GEM_LANES16;
    costs->is_metric = is_metric;
    costs->is_symmetric = is_metric || find_symmetry(d, n);
    costs->has_zero_diagonal = 1;
    for (size_t i = 0; i < n && !is_metric; i++)
        costs->has_zero_diagonal &= d[i * n + i] == 0.0;
    *out = costs;
    return GEM_TRANSPORT_OK;
}

/* rows16 = floor of the scaled costs; columns16 the same of the transposed matrix. */
static void write_copy(const gem_transport_costs *costs, int16_t *copy, int transposed)
{
    const size_t n = costs->n;
    const double scale = costs->scale; /* times GEM_UNITS it may overflow */
    for (size_t i0 = 0; i0 < n; i0 += TILE)
        for (size_t j0 = 0; j0 < n; j0 += TILE)
            for (size_t i = i0; i < i0 + TILE && i < n; i++)
                for (size_t j = j0; j < j0 + TILE && j < n; j++) {
                    const size_t k = transposed ? j * n + i : i * n + j;
                    copy[i * costs->stride16 + j] =
                        (int16_t)(costs->d[k] * scale * GEM_UNITS);
                }
    for (size_t i = 0; i < n; i++)
        for (size_t j = n; j < costs->stride16; j++)
            copy[i * costs->stride16 + j] = 0;
}

gem_transport_status gem_transport_costs_prepare_warm(gem_transport_costs *costs)
{
    const size_t bytes = costs->n * costs->stride16 * sizeof *costs->rows16;
    if (costs->rows16)
        return GEM_TRANSPORT_OK;
    int16_t *rows = malloc(bytes);
    int16_t *columns = costs->is_symmetric ? rows : malloc(bytes);
    if (!rows || !columns) {
        free(rows);
        if (columns != rows)
            free(columns);
        return GEM_TRANSPORT_NO_MEMORY;
    }
    write_copy(costs, rows, 0);
    if (columns != rows)
        write_copy(costs, columns, 1);
    costs->rows16 = rows;
    costs->columns16 = columns;
    return GEM_TRANSPORT_OK;
}

void gem_transport_costs_destroy(gem_transport_costs *costs)
{
    if (!costs)
        return;
    if (costs->columns16 != costs->rows16)
        free(costs->columns16);
    free(costs->rows16);
    free(costs);
}

int gem_transport_costs_is_symmetric(const gem_transport_costs *costs)
{
    return costs->is_symmetric;
}

int gem_transport_costs_has_zero_diagonal(const gem_transport_costs *costs)
{
    return costs->has_zero_diagonal;
}
