/* Tiles: GEM_LANES consecutive rows, transposed, so that the lanes of a vector
 * are rows and every sum over the K columns of a row stays inside a lane.
 * Include from passes only.
 */
#ifndef GEM_TILE_H
#define GEM_TILE_H

#include <stddef.h>

#include "isa.h"

#define GEM_LANES 32

typedef double gem_lanes[GEM_LANES];

#define GEM_FOR_LANES(i) GEM_SIMD for (int i = 0; i < GEM_LANES; i++)

/* tile[j][i] = rows[i * k + j]; lanes from `count` on repeat the first row. */
#define GEM_DEFINE_TILE(suffix, real)                                                  \
    GEM_INLINE void gem_tile_load_##suffix(                                            \
        gem_lanes *restrict tile, const real *restrict rows, size_t count, size_t k)   \
    {                                                                                  \
        for (size_t j = 0; j < k; j++) {                                               \
            double *lane = tile[j];                                                    \
            const real *column = rows + j;                                             \
            if (count == GEM_LANES) {                                                  \
                for (size_t i = 0; i < GEM_LANES; i++)                                 \
                    lane[i] = column[i * k];                                           \
            } else {                                                                   \
                for (size_t i = 0; i < GEM_LANES; i++)                                 \
                    lane[i] = column[i < count ? i * k : 0];                           \
            }                                                                          \
        }                                                                              \
    }                                                                                  \
                                                                                       \
    GEM_INLINE void gem_tile_store_##suffix(                                           \
        const gem_lanes *restrict tile, real *restrict rows, size_t count, size_t k)   \
    {                                                                                  \
        for (size_t i = 0; i < count; i++)                                             \
            for (size_t j = 0; j < k; j++)                                             \
                rows[i * k + j] = (real)tile[j][i];                                    \
    }

GEM_DEFINE_TILE(f64, double)
GEM_DEFINE_TILE(f32, float)

/* The sum of the first `count` lanes, always in the same order. */
GEM_INLINE double gem_lanes_sum(const double *lanes, size_t count)
{
    gem_lanes sum;
    for (size_t i = 0; i < GEM_LANES; i++)
        sum[i] = i < count ? lanes[i] : 0.0;
    for (size_t width = GEM_LANES / 2; width; width /= 2)
        for (size_t i = 0; i < width; i++)
            sum[i] += sum[i + width];
    return sum[0];
}

#endif
