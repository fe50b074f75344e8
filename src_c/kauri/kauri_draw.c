/* The draw of the features that a leaf may use. */
#include "kauri_bins.h"
#include "kauri_stocks.h"

static uint32_t draw_below(kauri_state *s, uint32_t n)
{
    /* splitmix64 */
    uint64_t z = (s->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (uint32_t)(((z >> 32) * n) >> 32);
}

static int is_constant(const kauri_state *s, const kauri_leaf *leaf, int32_t f)
{
    const double *sorted;

    if (kauri_is_binned(s))
        return kauri_in_one_bin(s, leaf, f);
    sorted = s->data->sorted + (size_t)f * s->n + leaf->start;
    return !(sorted[0] < sorted[leaf->size - 1]);
}

int32_t kauri_draw_features(kauri_state *s, const kauri_leaf *leaf)
{
    int32_t n_features = s->data->n_features;
    int32_t wanted = s->rules->max_features;
    int32_t found = 0;

    if (!s->drawn) {
        for (int32_t f = 0; f < n_features; f++)
            s->pool[f] = f;
        return n_features;
    }
    for (int32_t i = 0; i < n_features && found < wanted; i++) {
        int32_t j = i + (int32_t)draw_below(s, (uint32_t)(n_features - i));
        int32_t f = s->pool[j];

        s->pool[j] = s->pool[i];
        s->pool[i] = f;
        if (!is_constant(s, leaf, f)) {
            s->pool[i] = s->pool[found];
            s->pool[found++] = f;
        }
    }
    for (int32_t i = 0; i < n_features; i++)
        s->drawn[(size_t)(leaf - s->leaves) * s->d + (size_t)s->pool[i]] = i < found;
    return found;
}
