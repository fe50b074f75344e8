#include "transport_primal.h"

#include <math.h>
#include <stdlib.h>

#define LIST_LENGTH 24 /* candidates for the minor iterations */
#define SHORT_ROW 160  /* targets */
#define LANES 16       /* rows of the packed costs are padded to a multiple of this */

typedef struct candidate {
    int32_t source, target; /* nodes */
    double cost;
} candidate;

typedef struct primal {
    const gem_primal_problem *problem;
    gem_tree *tree;
    gem_primal_work *work;
    gem_watch *watch;
    float *source_price, *target_price; /* padded by infinite prices */
    int32_t stride;                     /* length of a padded row */
    double largest;                     /* bound on |f| since the last refresh */
    int exact;                          /* second phase */
    int32_t next_row;                   /* where the cyclic scan goes on */
    int64_t pivots, limit, refreshed_at;
    candidate list[LIST_LENGTH];
    int length;
} primal;

/* ---------------------------------------------------------------- buffers */

void gem_primal_work_trim(gem_primal_work *work)
{
    free(work->packed);
    work->packed = NULL;
    work->packed_size = 0;
}

void gem_primal_work_free(gem_primal_work *work)
{
    gem_primal_work_trim(work);
    free(work->price);
    free(work->spare);
    free(work->slot);
    free(work->list);
    work->price = NULL;
    work->spare = NULL;
    work->slot = work->list = NULL;
    work->nodes = 0;
}

static int reserve(gem_primal_work *work, size_t nodes, size_t packed_size)
{
    if (work->nodes < nodes) {
        gem_primal_work_free(work);
        work->price = malloc((nodes + LANES) * sizeof *work->price);
        work->spare = malloc(nodes * sizeof *work->spare);
        work->slot = malloc(nodes * sizeof *work->slot);
        work->list = malloc((nodes + 2) * sizeof *work->list);
        if (!work->price || !work->spare || !work->slot || !work->list) {
            gem_primal_work_free(work);
            return 0;
        }
        work->nodes = nodes;
    }
    if (work->packed_size < packed_size) {
        free(work->packed);
        work->packed = malloc(packed_size * sizeof *work->packed);
        work->packed_size = work->packed ? packed_size : 0;
    }
    return work->packed != NULL;
}

static gem_transport_status pack_costs(primal *self)
{
    const gem_primal_problem *p = self->problem;
    const double scale = p->costs->scale;
    float *out = self->work->packed;
    for (int32_t s = 0; s < p->n_sources; s++) {
        const double *row = p->costs->d + (size_t)p->sources[s] * p->costs->n;
        for (int32_t t = 0; t < p->n_targets; t++)
            *out++ = (float)(row[p->targets[t] - p->column_offset] * scale);
        for (int32_t t = p->n_targets; t < self->stride; t++)
            *out++ = 0.0f;
        if (gem_watch_stops(self->watch, p->n_targets))
            return GEM_TRANSPORT_INTERRUPTED;
    }
    return GEM_TRANSPORT_OK;
}

static double exact_cost(const primal *self, int32_t source, int32_t target)
{
    const gem_primal_problem *p = self->problem;
    return gem_cost(p->costs, (size_t)source, (size_t)(target - p->column_offset));
}

/* ------------------------------------------------------------ row passes */

/* The least entry of a row and the one of each lane, entries t = lane (mod LANES).
 * n is a multiple of LANES: independent lanes keep several vectors in flight. */
static float row_minimum(const float *restrict cost, const float *restrict price,
                         int32_t n, float *restrict lanes)
{
    float least = INFINITY;
    for (int32_t l = 0; l < LANES; l++)
        lanes[l] = INFINITY;
    for (int32_t t = 0; t < n; t += LANES)
#pragma omp simd
        for (int32_t l = 0; l < LANES; l++) {
            const float sum = cost[t + l] + price[t + l];
            lanes[l] = sum < lanes[l] ? sum : lanes[l];
        }
    for (int32_t l = 0; l < LANES; l++)
        least = lanes[l] < least ? lanes[l] : least;
    return least;
}

/* Where it is: only one lane needs to be searched. In a short row to its end, which
 * costs less than the jump out of the loop, which nothing could foresee. */
static int32_t row_position(const float *cost, const float *price, int32_t n,
                            const float *lanes, float least)
{
    int32_t lane = 0, position = 0;
    for (int32_t l = 0; l < LANES; l++)
        lane = lanes[l] == least ? l : lane;
    if (n <= SHORT_ROW)
        for (int32_t t = lane; t < n; t += LANES)
            position = cost[t] + price[t] == least ? t : position;
    else
        for (position = lane; cost[position] + price[position] != least;)
            position += LANES;
    return position;
}

/* ----------------------------------------------------------- greedy start */

/* Each source in turn takes its cheapest open target until one of the two is used
 * up: n - 1 pairs. `closed[k]` was used up by pair k and hangs from `other[k]`. The
 * perturbation (`spare`, see the header) breaks ties, so exactly one closes. Returns
 * the node left over, or none when interrupted. */
static int32_t pair_greedily(primal *self, int32_t root, int32_t *closed,
                             int32_t *other)
{
    const gem_primal_problem *p = self->problem;
    const int64_t extra = (int64_t)p->n_targets + 1;
    gem_node *node = self->tree->node;
    int64_t *spare = self->work->spare;
    float *open = self->target_price; /* 0 while open, then infinite */
    float lanes[LANES];
    int32_t s = 0, t = 0, pairs = 0;

    for (t = 0; t < p->n_targets; t++) {
        open[t] = 0.0f;
        spare[t] =
            p->targets[t] == root ? extra * p->n_sources - (p->n_targets - 1) : 1;
        node[p->targets[t]].net = -node[p->targets[t]].supply;
    }
    int64_t left = node[p->sources[0]].supply, left_spare = extra;
    for (; pairs < self->tree->n - 1; pairs++) {
        const float *row = self->work->packed + (size_t)s * (size_t)self->stride;
        const float least = row_minimum(row, open, self->stride, lanes);
        t = row_position(row, open, self->stride, lanes, least);
        gem_node *target = node + p->targets[t];
        if (left < target->net || (left == target->net && left_spare < spare[t])) {
            target->net -= left;
            spare[t] -= left_spare;
            closed[pairs] = p->sources[s];
            other[pairs] = p->targets[t];
            if (++s < p->n_sources) {
                left = node[p->sources[s]].supply;
                left_spare = extra;
            }
        } else {
            left -= target->net;
            left_spare -= spare[t];
            open[t] = INFINITY;
            closed[pairs] = p->targets[t];
            other[pairs] = p->sources[s];
        }
        if (gem_watch_stops(self->watch, p->n_targets))
            return GEM_NO_NODE;
    }
    return other[pairs - 1];
}

/* Potentials from the tree, and their float32 copies. */
static void refresh(primal *self)
{
    gem_tree *tree = self->tree;
    gem_tree_traverse(tree);
    tree->f[tree->root] = 0.0;
    gem_tree_potentials(tree);
    self->largest = 0.0;
    for (int32_t x = 0; x < tree->n; x++) {
        const double f = tree->f[x];
        self->work->price[self->work->slot[x]] = (float)f;
        self->largest = fmax(self->largest, fabs(f));
    }
    self->refreshed_at = self->pivots;
}

static gem_transport_status start_basis(primal *self)
{
    const gem_primal_problem *p = self->problem;
    gem_tree *tree = self->tree;
    int32_t *closed = tree->order, *other = self->work->list;

    int32_t root = p->targets[0]; /* the largest demand */
    for (int32_t t = 1; t < p->n_targets; t++)
        if (tree->node[p->targets[t]].supply < tree->node[root].supply)
            root = p->targets[t];
    const int32_t last = pair_greedily(self, root, closed, other);
    if (last == GEM_NO_NODE)
        return GEM_TRANSPORT_INTERRUPTED;
    gem_tree_clear(tree);
    tree->root = last;
    for (int32_t k = tree->n - 2; k >= 0; k--) {
        const int up = self->work->slot[closed[k]] < p->n_sources;
        const double cost = up ? exact_cost(self, closed[k], other[k])
                               : exact_cost(self, other[k], closed[k]);
        gem_tree_hang(tree, closed[k], other[k], up, cost);
    }
    gem_tree_reroot(tree, root);
    refresh(self);
    gem_tree_sum_supplies(tree);
    return GEM_TRANSPORT_OK;
}

/* ------------------------------------------------------ find entering arc */

static double reduced_cost(const primal *self, const candidate *arc)
{
    const double *f = self->tree->f;
    return arc->cost - f[arc->source] + f[arc->target];
}

/* First phase: the best arc of row s by float32 costs. */
static double price_row(primal *self, int32_t s, candidate *best)
{
    const gem_primal_problem *p = self->problem;
    const float *row = self->work->packed + (size_t)s * (size_t)self->stride;
    float lanes[LANES];
    const float least = row_minimum(row, self->target_price, self->stride, lanes);
    if (least - self->source_price[s] >= 0.0f)
        return 0.0;
    best->source = p->sources[s];
    const int32_t t = row_position(row, self->target_price, self->stride, lanes, least);
    best->target = p->targets[t];
    best->cost = exact_cost(self, best->source, best->target);
    return reduced_cost(self, best);
}

/* Second phase: float32 only rules out what it safely can. Its error is a few units
 * in the last place of a cost (below 1) and of two potentials. */
static double price_row_exactly(primal *self, int32_t s, candidate *best)
{
    const gem_primal_problem *p = self->problem;
    const float *row = self->work->packed + (size_t)s * (size_t)self->stride;
    const float *price = self->target_price;
    const float bound =
        self->source_price[s] + (float)(0x1p-21 * (1.0 + self->largest));
    double least = 0.0;
    float lanes[LANES];
    for (int32_t start = 0; start < self->stride; start += LANES) {
        if (row_minimum(row + start, price + start, LANES, lanes) >= bound)
            continue;
        for (int32_t t = start; t < start + LANES; t++) {
            if (row[t] + price[t] >= bound)
                continue;
            candidate arc = {p->sources[s], p->targets[t], 0.0};
            arc.cost = exact_cost(self, arc.source, arc.target);
            const double reduced = reduced_cost(self, &arc);
            if (reduced < least) {
                least = reduced;
                *best = arc;
            }
        }
    }
    return least;
}

/* Major iteration: go on through the rows until the list is full or all rows have
 * been seen. */
static gem_transport_status find_candidates(primal *self)
{
    const gem_primal_problem *p = self->problem;
    const double bound = -p->costs->tolerance;
    self->length = 0;
    for (int32_t seen = 0; seen < p->n_sources && self->length < LIST_LENGTH; seen++) {
        candidate *best = self->list + self->length;
        const int32_t s = self->next_row;
        self->next_row = s + 1 == p->n_sources ? 0 : s + 1;
        const double least =
            self->exact ? price_row_exactly(self, s, best) : price_row(self, s, best);
        self->length += least < bound;
        if (gem_watch_stops(self->watch, p->n_targets))
            return GEM_TRANSPORT_INTERRUPTED;
    }
    return GEM_TRANSPORT_OK;
}

/* Minor iteration: price the list again; the best arc of it, or 0 when none is left. */
static int find_entering_arc(primal *self, candidate *entering)
{
    const double bound = -self->problem->costs->tolerance;
    double least = 0.0;
    int kept = 0, chosen = -1;
    for (int k = 0; k < self->length; k++) {
        const double reduced = reduced_cost(self, self->list + k);
        if (reduced >= bound)
            continue;
        self->list[kept] = self->list[k];
        if (reduced < least) {
            least = reduced;
            chosen = kept;
        }
        kept++;
    }
    self->length = kept;
    if (chosen < 0)
        return 0;
    *entering = self->list[chosen];
    self->list[chosen] = self->list[--self->length];
    return 1;
}

/* ------------------------------------------------------------------ pivot */

/* The last blocking arc of the cycle join .. source -> target .. join. */
static int32_t find_leaving_arc(const primal *self, const candidate *entering,
                                int32_t join, int *on_source_side)
{
    const gem_node *node = self->tree->node;
    int64_t least = INT64_MAX;
    int32_t leaving = GEM_NO_NODE;
    for (int32_t x = entering->source; x != join; x = node[x].parent)
        if (node[x].up && node[x].net < least) {
            least = node[x].net;
            leaving = x;
            *on_source_side = 1;
        }
    for (int32_t x = entering->target; x != join; x = node[x].parent)
        if (!node[x].up && -node[x].net <= least) {
            least = -node[x].net;
            leaving = x;
            *on_source_side = 0;
        }
    return leaving;
}

/* Shift the potentials of the smaller side of the cut. */
static void update_potentials(primal *self, int32_t inner, double shift)
{
    gem_tree *tree = self->tree;
    gem_primal_work *work = self->work;
    const int inside = tree->node[inner].size <= tree->n / 2;
    const int32_t count = gem_tree_side(tree, inner, inside, work->list);
    double largest = self->largest;
    if (!inside)
        shift = -shift;
    for (int32_t k = 0; k < count; k++) {
        const int32_t x = work->list[k];
        const double f = tree->f[x] + shift;
        tree->f[x] = f;
        work->price[work->slot[x]] = (float)f;
        largest = fabs(f) > largest ? fabs(f) : largest;
    }
    self->largest = largest;
    self->watch->work += count;
}

static void pivot(primal *self, const candidate *entering)
{
    int on_source_side = 0;
    const double reduced = reduced_cost(self, entering);
    const int32_t join =
        gem_tree_find_join(self->tree, entering->source, entering->target);
    const int32_t leaving = find_leaving_arc(self, entering, join, &on_source_side);
    const int32_t inner = on_source_side ? entering->source : entering->target;
    const int32_t outer = on_source_side ? entering->target : entering->source;
    gem_tree_exchange(self->tree, leaving, inner, outer, on_source_side,
                      entering->cost);
    update_potentials(self, inner, on_source_side ? reduced : -reduced);
    self->pivots++;
}

/* ------------------------------------------------------------------ solve */

static gem_transport_status optimise(primal *self)
{
    candidate entering;
    for (;;) {
        const gem_transport_status status = find_candidates(self);
        if (status != GEM_TRANSPORT_OK)
            return status;
        if (self->length == 0) {
            /* Nothing in a whole pass: float32 has said all it can, or, with
             * potentials fresh from the tree, the basis is optimal. */
            if (self->exact && self->refreshed_at == self->pivots)
                return GEM_TRANSPORT_OK;
            self->exact = 1;
            refresh(self);
        }
        while (find_entering_arc(self, &entering))
            pivot(self, &entering);
        if (self->pivots > self->limit)
            return GEM_TRANSPORT_STALLED;
    }
}

gem_transport_status gem_primal_solve(const gem_primal_problem *problem, gem_tree *tree,
                                      gem_primal_work *work, gem_watch *watch,
                                      int64_t *pivots)
{
    const size_t ns = (size_t)problem->n_sources, nt = (size_t)problem->n_targets;
    primal self = {.problem = problem, .tree = tree, .work = work, .watch = watch};

    const size_t stride = (nt + LANES - 1) / LANES * LANES;
    if (!reserve(work, ns + nt, ns * stride))
        return GEM_TRANSPORT_NO_MEMORY;
    self.stride = (int32_t)stride;
    self.source_price = work->price;
    self.target_price = work->price + ns;
    self.limit = 1000 * ((int64_t)(ns + nt) + 100);
    for (size_t s = 0; s < ns; s++)
        work->slot[problem->sources[s]] = (int32_t)s;
    for (size_t t = 0; t < nt; t++)
        work->slot[problem->targets[t]] = (int32_t)(ns + t);
    for (size_t t = nt; t < stride; t++)
        self.target_price[t] = INFINITY;
    gem_transport_status status = pack_costs(&self);
    if (status == GEM_TRANSPORT_OK)
        status = start_basis(&self);
    if (status == GEM_TRANSPORT_OK)
        status = optimise(&self);
    *pivots += self.pivots;
    return status;
}
