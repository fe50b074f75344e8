/* Sums over bins: how they come to be, and who keeps them. */
#include "kauri_bins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kauri_split.h"

/* Doubles of the samples that are gathered before they are added to sums. */
#define CHUNK 8192
#define FEWEST_ROWS 8
/* Elementary operations between two chances to be interrupted. */
#define SLAB_EFFORT ((size_t)1 << 25)
/* Sums are kept for leaves within this many bytes, or the size of the samples. */
#define KEPT_BYTES ((size_t)1 << 26)
/* A leaf's sums are made anew, and not by subtraction, when it has shrunk so much:
 * they carry the rounding of all that was subtracted. */
#define SHRUNK 64

static size_t chunk_rows(const kauri_state *s)
{
    size_t rows = CHUNK / s->binned.width;
    return rows > FEWEST_ROWS ? rows : FEWEST_ROWS;
}

static size_t block_length(const kauri_state *s)
{
    return s->binned.n_bins * s->binned.width;
}

int kauri_make_bins(kauri_state *s)
{
    const gem_kauri_bins *bins = s->data->bins;
    size_t max_leaves = (size_t)s->rules->max_leaves, rank = (size_t)s->data->rank;
    size_t kept = s->n * s->d * sizeof(double), block, most = 0;
    size_t n_threads = s->rules->n_threads > 1 ? (size_t)s->rules->n_threads : 1;
    kauri_binned *k = &s->binned;

    k->n_bins = (size_t)bins->first[s->d];
    k->lead = s->weight ? 2 : 1;
    k->width = rank + k->lead;
    for (size_t f = 0; f < s->d; f++) {
        size_t count = (size_t)(bins->first[f + 1] - bins->first[f]);
        most = count > most ? count : most;
    }
    block = block_length(s) * sizeof(double);
    kept = kept > KEPT_BYTES ? kept : KEPT_BYTES;
    k->max_blocks = (int32_t)(kept / block < max_leaves ? kept / block : max_leaves);
    k->leaf_sums = calloc(max_leaves * k->width, sizeof(double));
    k->norms = calloc(max_leaves, sizeof(double));
    k->spare = calloc((size_t)k->max_blocks + 1, sizeof *k->spare);
    k->scratch = calloc(block_length(s), sizeof(double));
    k->chunks = calloc(n_threads * chunk_rows(s) * k->width, sizeof(double));
    k->filled = calloc(most, sizeof *k->filled);
    k->wanted = calloc(s->d, sizeof *k->wanted);
    k->promising = calloc(s->n_columns, 1);
    k->side = calloc(k->width, sizeof(double));
    k->centred = calloc(rank, sizeof(double));
    k->mean = calloc(rank, sizeof(double));
    k->own = calloc(rank, sizeof(double));
    return k->leaf_sums && k->norms && k->spare && k->scratch && k->chunks &&
           k->filled && k->wanted && k->promising && k->side && k->centred && k->mean &&
           k->own;
}

void kauri_release_bins(kauri_state *s)
{
    kauri_binned *k = &s->binned;
    void *arrays[] = {k->leaf_sums, k->norms,   k->means, k->scratch, k->chunks,
                      k->filled,    k->wanted,  k->side,  k->centred, k->mean,
                      k->own,       k->targets, k->norm,  k->beyond,  k->promising};

    for (int32_t i = 0; i < k->n_spare; i++)
        free(k->spare[i]);
    for (int32_t l = 0; l < s->n_leaves; l++)
        free(s->leaves[l].block);
    free(k->spare);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

static inline int32_t code_at(const kauri_state *s, size_t sample, size_t f)
{
    const gem_kauri_bins *bins = s->data->bins;
    size_t at = sample * s->d + f;
    return bins->wide ? ((const uint16_t *)bins->codes)[at]
                      : ((const uint8_t *)bins->codes)[at];
}

int kauri_in_one_bin(const kauri_state *s, const kauri_leaf *leaf, int32_t f)
{
    const int32_t *sample = s->sample + leaf->start;
    int32_t first = code_at(s, (size_t)sample[0], (size_t)f);

    for (int32_t i = 1; i < leaf->size; i++)
        if (code_at(s, (size_t)sample[i], (size_t)f) != first)
            return 0;
    return 1;
}

int kauri_has_missing(const kauri_state *s, const kauri_leaf *leaf, int32_t f)
{
    const gem_kauri_bins *bins = s->data->bins;
    int32_t last = bins->first[f + 1] - bins->first[f] - 1;

    if (bins->high[bins->first[f] + last] < INFINITY)
        return 0;
    for (int32_t i = leaf->start; i < leaf->start + leaf->size; i++)
        if (code_at(s, (size_t)s->sample[i], (size_t)f) == last)
            return 1;
    return 0;
}

void kauri_mark_sides(kauri_state *s, const kauri_leaf *leaf, const kauri_split *split)
{
    const gem_kauri_bins *bins = s->data->bins;
    size_t f = (size_t)kauri_feature(s, split->column);
    int twin = split->column >= s->data->n_features;
    int32_t missing = twin ? bins->first[f + 1] - bins->first[f] - 1 : -1;

    for (int32_t i = leaf->start; i < leaf->start + leaf->size; i++) {
        int32_t code = code_at(s, (size_t)s->sample[i], f);
        s->goes_right[i] = code > split->bin && code != missing;
    }
}

/* --- adding samples --------------------------------------------------------- */

/* The samples of a leaf, or some of them, that are added to a block by the first
 * n_wanted features of s->binned.wanted; a task takes its share of these. */
typedef struct {
    const kauri_state *s;
    double *block;
    const int32_t *sample;
    int32_t n_samples, n_wanted, n_tasks;
} addition;

/* The row that stands for a sample in sums. */
static void make_row(const kauri_state *s, size_t sample, double *restrict row)
{
    size_t rank = (size_t)s->data->rank;
    const double *restrict factor = s->data->factor + sample * rank;

    row[0] = 1.0;
    if (!s->weight) {
        memcpy(row + 1, factor, rank * sizeof *row);
        return;
    }
    row[1] = s->weight[sample];
    for (size_t c = 0; c < rank; c++)
        row[c + 2] = row[1] * factor[c];
}

static inline void add_row(double *restrict sum, const double *restrict row,
                           size_t width)
{
    for (size_t c = 0; c < width; c++)
        sum[c] += row[c];
}

static void add_chunk(const addition *a, const int32_t *sample, size_t n,
                      const double *rows, int32_t begin, int32_t end)
{
    const kauri_state *s = a->s;
    const gem_kauri_bins *bins = s->data->bins;
    size_t width = s->binned.width;

    for (int32_t i = begin; i < end; i++) {
        size_t f = (size_t)s->binned.wanted[i];
        double *sums = a->block + (size_t)bins->first[f] * width;
        const double *row = rows;
        if (bins->wide) {
            const uint16_t *codes = (const uint16_t *)bins->codes + f;
            for (size_t j = 0; j < n; j++, row += width)
                add_row(sums + codes[(size_t)sample[j] * s->d] * width, row, width);
        } else {
            const uint8_t *codes = (const uint8_t *)bins->codes + f;
            for (size_t j = 0; j < n; j++, row += width)
                add_row(sums + codes[(size_t)sample[j] * s->d] * width, row, width);
        }
    }
}

static void add_task(void *argument, int32_t task)
{
    const addition *a = argument;
    const kauri_state *s = a->s;
    size_t width = s->binned.width, rows = chunk_rows(s);
    double *chunk = s->binned.chunks + (size_t)task * rows * width;
    int32_t begin = (int32_t)((int64_t)a->n_wanted * task / a->n_tasks);
    int32_t end = (int32_t)((int64_t)a->n_wanted * (task + 1) / a->n_tasks);

    for (size_t at = 0; at < (size_t)a->n_samples; at += rows) {
        size_t left = (size_t)a->n_samples - at, n = left < rows ? left : rows;
        for (size_t j = 0; j < n; j++)
            make_row(s, (size_t)a->sample[at + j], chunk + j * width);
        add_chunk(a, a->sample + at, n, chunk, begin, end);
    }
}

/* Add the samples of a leaf to a block by the `n` features wanted. */
static gem_kauri_status add_samples(kauri_state *s, const kauri_leaf *leaf,
                                    double *block, int32_t n)
{
    size_t effort = (size_t)n * s->binned.width, slab = SLAB_EFFORT / (effort + 1) + 1;
    addition a = {s, block, NULL, 0, n, s->rules->n_threads};
    gem_kauri_status status = GEM_KAURI_OK;

    if (a.n_tasks > n)
        a.n_tasks = n;
    if (a.n_tasks < 1)
        a.n_tasks = 1;
    for (size_t at = 0; at < (size_t)leaf->size && !status && n; at += slab) {
        size_t left = (size_t)leaf->size - at, size = left < slab ? left : slab;
        a.sample = s->sample + leaf->start + at;
        a.n_samples = (int32_t)size;
        kauri_share(s, add_task, &a, a.n_tasks, size * effort);
        status = kauri_spend(s, size * effort);
    }
    return status;
}

/* The row and the norms of a leaf, from its samples. */
static void sum_leaf(kauri_state *s, kauri_leaf *leaf)
{
    size_t width = s->binned.width, lead = s->binned.lead;
    double *sums = kauri_leaf_sums(s, leaf), *row = s->binned.chunks, norms = 0.0;

    memset(sums, 0, width * sizeof *sums);
    for (int32_t i = leaf->start; i < leaf->start + leaf->size; i++) {
        double norm = 0.0;
        make_row(s, (size_t)s->sample[i], row);
        add_row(sums, row, width);
#pragma omp simd reduction(+ : norm)
        for (size_t c = lead; c < width; c++)
            norm += row[c] * row[c];
        norms += norm / row[lead - 1]; /* the weight, or one */
    }
    s->binned.norms[leaf - s->leaves] = norms;
    leaf->built = leaf->size;
}

static void note_scatter(kauri_state *s, kauri_leaf *leaf)
{
    const double *sums = kauri_leaf_sums(s, leaf);
    double norm = 0.0;

    for (size_t c = s->binned.lead; c < s->binned.width; c++)
        norm += sums[c] * sums[c];
    leaf->scatter = fmax(0.0, s->binned.norms[leaf - s->leaves] - norm / leaf->weight);
    /* Of weights a + b = n, |S_a|^2 = between a b / n <= scatter n / 4. */
    leaf->spread = 0.5 * sqrt(leaf->scatter * leaf->weight) * (1.0 + 1e-9);
}

/* --- blocks ----------------------------------------------------------------- */

/* A block of zeros, or NULL if there are enough. */
static double *claim_block(kauri_state *s)
{
    kauri_binned *k = &s->binned;
    double *block;

    if (k->n_spare > 0) {
        block = k->spare[--k->n_spare];
        memset(block, 0, block_length(s) * sizeof *block);
        return block;
    }
    if (k->n_blocks >= k->max_blocks)
        return NULL;
    block = calloc(block_length(s), sizeof *block);
    k->n_blocks += block != NULL;
    return block;
}

static void return_block(kauri_state *s, double *block)
{
    if (block)
        s->binned.spare[s->binned.n_spare++] = block;
}

/* Whether a leaf is worth a block: it may be split, and its samples outnumber the
 * bins of a feature. */
static int wants_block(const kauri_state *s, const kauri_leaf *leaf)
{
    return kauri_may_open(s, leaf) && (size_t)leaf->size * s->d >= s->binned.n_bins;
}

static int32_t want_all(kauri_state *s)
{
    for (size_t f = 0; f < s->d; f++)
        s->binned.wanted[f] = (int32_t)f;
    return s->data->n_features;
}

/* Give a leaf a block of its own, made from its samples. */
static gem_kauri_status build_block(kauri_state *s, kauri_leaf *leaf)
{
    leaf->block = wants_block(s, leaf) ? claim_block(s) : NULL;
    if (!leaf->block)
        return GEM_KAURI_OK;
    return add_samples(s, leaf, leaf->block, want_all(s));
}

gem_kauri_status kauri_sum_root(kauri_state *s, kauri_leaf *root)
{
    sum_leaf(s, root);
    note_scatter(s, root);
    return build_block(s, root);
}

/* Take the rows of `less` from those of `rows`; bins left empty are zero. */
static void subtract(double *restrict rows, const double *restrict less, size_t n,
                     size_t width)
{
    for (size_t b = 0; b < n; b++, rows += width, less += width) {
        if (less[0] == 0.0)
            continue;
        if (rows[0] == less[0]) {
            memset(rows, 0, width * sizeof *rows);
            continue;
        }
        for (size_t c = 0; c < width; c++)
            rows[c] -= less[c];
    }
}

static void clear_scratch(kauri_state *s, const kauri_leaf *leaf, int32_t n)
{
    const int32_t *first = s->data->bins->first;
    size_t width = s->binned.width;

    for (int32_t i = 0; i < n; i++) {
        size_t f = (size_t)s->binned.wanted[i];
        size_t count = (size_t)(first[f + 1] - first[f]);
        double *rows = s->binned.scratch + (size_t)first[f] * width;
        if ((size_t)leaf->size >= count) {
            memset(rows, 0, count * width * sizeof *rows);
            continue;
        }
        for (int32_t j = leaf->start; j < leaf->start + leaf->size; j++) {
            size_t b = (size_t)code_at(s, (size_t)s->sample[j], f);
            memset(rows + b * width, 0, width * sizeof *rows);
        }
    }
}

/* Make the block of the larger side of a leaf, which has that of the leaf, by
 * subtraction of the smaller side. */
static gem_kauri_status shrink_block(kauri_state *s, double *block,
                                     const kauri_leaf *smaller)
{
    gem_kauri_status status;
    const double *less;

    if (smaller->block) {
        subtract(block, smaller->block, s->binned.n_bins, s->binned.width);
        return GEM_KAURI_OK;
    }
    status = kauri_open_block(s, smaller, want_all(s), &less);
    if (!status)
        subtract(block, less, s->binned.n_bins, s->binned.width);
    kauri_close_block(s, smaller, s->data->n_features);
    return status;
}

gem_kauri_status kauri_part_sums(kauri_state *s, kauri_leaf *left, kauri_leaf *right)
{
    int left_smaller = left->size <= right->size;
    kauri_leaf *smaller = left_smaller ? left : right;
    kauri_leaf *larger = left_smaller ? right : left;
    size_t width = s->binned.width;
    double *whole = s->binned.side, *sums = kauri_leaf_sums(s, larger);
    double norms = s->binned.norms[left - s->leaves], *block = left->block;
    int anew =
        !block || !wants_block(s, larger) || larger->size < larger->built / SHRUNK;
    gem_kauri_status status;

    left->block = right->block = NULL;
    memcpy(whole, kauri_leaf_sums(s, left), width * sizeof *whole);
    sum_leaf(s, smaller);
    note_scatter(s, smaller);
    if (anew) {
        sum_leaf(s, larger);
        return_block(s, block);
    } else {
        const double *less = kauri_leaf_sums(s, smaller);
        for (size_t c = 0; c < width; c++)
            sums[c] = whole[c] - less[c];
        s->binned.norms[larger - s->leaves] =
            norms - s->binned.norms[smaller - s->leaves];
        larger->block = block;
    }
    note_scatter(s, larger);
    status = build_block(s, smaller);
    if (!status)
        status = anew ? build_block(s, larger) : shrink_block(s, block, smaller);
    return status;
}

gem_kauri_status kauri_open_block(kauri_state *s, const kauri_leaf *leaf, int32_t n,
                                  const double **block)
{
    *block = leaf->block ? leaf->block : s->binned.scratch;
    return leaf->block ? GEM_KAURI_OK : add_samples(s, leaf, s->binned.scratch, n);
}

void kauri_close_block(kauri_state *s, const kauri_leaf *leaf, int32_t n)
{
    if (!leaf->block)
        clear_scratch(s, leaf, n);
}

static int compare_ints(const void *a, const void *b)
{
    int32_t u = *(const int32_t *)a, v = *(const int32_t *)b;
    return (u > v) - (u < v);
}

int32_t kauri_fill(kauri_state *s, const kauri_leaf *leaf, const double *block,
                   int32_t f)
{
    const int32_t *first = s->data->bins->first;
    int32_t count = first[f + 1] - first[f], n = 0;
    int32_t *filled = s->binned.filled;
    const double *rows = block + (size_t)first[f] * s->binned.width;

    if (leaf->size > count / 16) {
        for (int32_t b = 0; b < count; b++, rows += s->binned.width)
            if (*rows > 0.0)
                filled[n++] = b;
        return n;
    }
    for (int32_t i = 0; i < leaf->size; i++)
        filled[i] = code_at(s, (size_t)s->sample[leaf->start + i], (size_t)f);
    qsort(filled, (size_t)leaf->size, sizeof *filled, compare_ints);
    for (int32_t i = 0; i < leaf->size; i++)
        if (i == 0 || filled[i] != filled[n - 1])
            filled[n++] = filled[i];
    return n;
}
