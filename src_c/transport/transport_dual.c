#include "transport_dual.h"

#include <math.h>
#include <stdlib.h>

/* A scanned sum is cost + price, cost in [0, GEM_UNITS), price in [0, WINDOW], or BARRED
 * for nodes that may not take part, all shifted by -32768 to use the whole int16 range:
 * BARRED exceeds every valid sum, and BARRED + GEM_UNITS still fits. */
#define WINDOW 30000
#define BARRED 47000
#define BIAS 32768
#define MARGIN 7000 /* units that prices may drift before all are quantised anew */
#define BLOCK GEM_LANES16

typedef struct dual {
    const gem_transport_costs *costs;
    gem_tree *tree;
    gem_dual_work *work;
    gem_watch *watch;
    int sides;
    int restricted;                 /* dominated nodes are left out */
    int32_t n, stride;              /* points; length of a padded row */
    double receive_base, send_base; /* price of 0 units, scaled */
    int stale;                      /* a price left the window */
    int32_t length;                 /* of work->list */
} dual;

/* The rows of one side of a cut, on the way to its entering arc. */
typedef struct cut {
    int32_t leaving;
    int sends;      /* the side sends to the rest, or receives from it */
    int32_t count;  /* nodes in work->side */
    int16_t *price; /* of the rest */
    double base;
    const int16_t *lines;
} cut;

typedef struct entering_arc {
    int32_t inner, outer; /* in the side, in the rest */
    double slack;
} entering_arc;

/* ---------------------------------------------------------------- buffers */

void gem_dual_work_free(gem_dual_work *work)
{
    free(work->receive16);
    free(work->send16);
    free(work->list);
    free(work->listed);
    free(work->side);
    free(work->row_node);
    free(work->row_bound);
    *work = (gem_dual_work){0};
}

static int reserve(gem_dual_work *work, size_t nodes)
{
    if (work->nodes >= nodes)
        return 1;
    gem_dual_work_free(work);
    work->receive16 = malloc((nodes + GEM_LANES16) * sizeof *work->receive16);
    work->send16 = malloc((nodes + GEM_LANES16) * sizeof *work->send16);
    work->list = malloc(nodes * sizeof *work->list);
    work->listed = malloc(nodes * sizeof *work->listed);
    work->side = malloc((nodes + 2) * sizeof *work->side);
    work->row_node = malloc(nodes * sizeof *work->row_node);
    work->row_bound = malloc(nodes * sizeof *work->row_bound);
    if (!work->receive16 || !work->send16 || !work->list || !work->listed ||
        !work->side || !work->row_node || !work->row_bound) {
        gem_dual_work_free(work);
        return 0;
    }
    work->nodes = nodes;
    return 1;
}

/* -------------------------------------------------------- quantised prices */

static int can_send(const dual *self, int32_t x)
{
    if (self->sides == 2)
        return x < self->n;
    return !self->restricted || self->tree->node[x].out_degree > 0;
}

static int can_receive(const dual *self, int32_t x)
{
    if (self->sides == 2)
        return x >= self->n;
    return !self->restricted || self->tree->node[x].in_degree > 0;
}

static int32_t lane(const dual *self, int32_t x)
{
    return x < self->n ? x : x - self->n;
}

static int16_t quantise(dual *self, double price)
{
    const double units = price * GEM_UNITS;
    if (!(units >= 0.0 && units < WINDOW)) {
        self->stale = 1; /* write_prices follows */
        return (int16_t)(0 - BIAS);
    }
    return (int16_t)((int32_t)units - BIAS);
}

static void write_price(dual *self, int32_t x)
{
    const double f = self->tree->f[x];
    const int32_t k = lane(self, x);
    if (self->sides == 1 || x >= self->n) {
        const int16_t price = quantise(self, f - self->receive_base);
        self->work->receive16[k] =
            can_receive(self, x) ? price : (int16_t)(BARRED - BIAS);
    }
    if (self->sides == 1 || x < self->n) {
        const int16_t price = quantise(self, -f - self->send_base);
        self->work->send16[k] = can_send(self, x) ? price : (int16_t)(BARRED - BIAS);
    }
}

/* All prices, with the window centred on them. Feasible potentials of senders, and of
 * receivers, span at most the largest cost: GEM_UNITS units. */
static void write_prices(dual *self)
{
    const gem_tree *tree = self->tree;
    double low = INFINITY, high = -INFINITY;
    for (int32_t x = 0; x < tree->n; x++) {
        if (self->sides == 1 || x >= self->n)
            low = tree->f[x] < low ? tree->f[x] : low;
        if (self->sides == 1 || x < self->n)
            high = tree->f[x] > high ? tree->f[x] : high;
    }
    self->receive_base = low - (double)MARGIN / GEM_UNITS;
    self->send_base = -high - (double)MARGIN / GEM_UNITS;
    self->stale = 0;
    for (int32_t k = self->n; k < self->stride; k++)
        self->work->receive16[k] = self->work->send16[k] = (int16_t)(BARRED - BIAS);
    for (int32_t x = 0; x < tree->n; x++)
        write_price(self, x);
}

/* ------------------------------------------------------- find leaving arc */

static void list_if_negative(dual *self, int32_t x)
{
    if (gem_tree_flow(self->tree->node + x) < 0 && !self->work->listed[x]) {
        self->work->listed[x] = 1;
        self->work->list[self->length++] = x;
    }
}

/* The largest |flow| / (size of the smaller side) of the list; drops what has become
 * feasible meanwhile. */
static int32_t find_leaving_arc(dual *self)
{
    const gem_node *node = self->tree->node;
    const int32_t n = self->tree->n;
    int32_t *list = self->work->list, kept = 0, leaving = GEM_NO_NODE;
    double best = 0.0;
    for (int32_t k = 0; k < self->length; k++) {
        const int32_t x = list[k];
        const int64_t flow = gem_tree_flow(node + x);
        if (flow >= 0) {
            self->work->listed[x] = 0;
            continue;
        }
        list[kept++] = x;
        const int32_t size = node[x].size;
        const double ratio = (double)-flow / (size < n - size ? size : n - size);
        if (ratio > best) {
            best = ratio;
            leaving = x;
        }
    }
    self->length = kept;
    return leaving;
}

/* ------------------------------------------------------ find entering arc */

/* n is a multiple of GEM_LANES16: independent lanes keep several vectors in flight. */
static int16_t line_minimum(const int16_t *restrict cost, const int16_t *restrict price,
                            int32_t n)
{
    int16_t lanes[GEM_LANES16], least = INT16_MAX;
    for (int32_t l = 0; l < GEM_LANES16; l++)
        lanes[l] = INT16_MAX;
    for (int32_t k = 0; k < n; k += GEM_LANES16)
#pragma omp simd
        for (int32_t l = 0; l < GEM_LANES16; l++) {
            const int16_t sum = (int16_t)(cost[k + l] + price[k + l]);
            lanes[l] = sum < lanes[l] ? sum : lanes[l];
        }
    for (int32_t l = 0; l < GEM_LANES16; l++)
        least = lanes[l] < least ? lanes[l] : least;
    return least;
}

/* Take the smaller side, bar it among the receivers (or senders), so that scans see only
 * the rest. */
static cut open_cut(dual *self, int32_t leaving)
{
    const gem_tree *tree = self->tree;
    const gem_transport_costs *costs = self->costs;
    gem_dual_work *work = self->work;
    const int inside = tree->node[leaving].size <= tree->n / 2;
    cut c = {.leaving = leaving};
    c.sends = (tree->node[leaving].net > 0) == inside;
    c.count = gem_tree_side(tree, leaving, inside, work->side);
    c.price = c.sends ? work->receive16 : work->send16;
    c.base = c.sends ? self->receive_base : self->send_base;
    c.lines = c.sends ? costs->rows16 : costs->columns16;
    if (self->sides == 1) {
        for (int32_t k = 0; k < c.count; k++)
            c.price[work->side[k]] = (int16_t)(BARRED - BIAS);
    } else {
        for (int32_t k = 0; k < c.count; k++)
            if (c.sends ? work->side[k] >= self->n : work->side[k] < self->n)
                c.price[lane(self, work->side[k])] = (int16_t)(BARRED - BIAS);
    }
    return c;
}

/* A side or a rest of one node has lost its only arc: it must take part. */
static int takes_part(const dual *self, const cut *c, int32_t x)
{
    if (c->count == 1)
        return 1;
    return c->sends ? can_send(self, x) : can_receive(self, x);
}

static double own_price(const dual *self, const cut *c, int32_t x)
{
    return c->sends ? -self->tree->f[x] : self->tree->f[x];
}

static double exact_slack(const dual *self, const cut *c, int32_t inner, int32_t outer)
{
    const double *f = self->tree->f;
    const size_t i = (size_t)lane(self, inner), j = (size_t)lane(self, outer);
    return c->sends ? gem_cost(self->costs, i, j) - f[inner] + f[outer]
                    : gem_cost(self->costs, j, i) - f[outer] + f[inner];
}

/* Look exactly at the arcs of one row whose bound does not exceed the best slack. */
static void search_row(const dual *self, const cut *c, int32_t x, entering_arc *best)
{
    const int32_t n = self->stride;
    const int16_t *cost = c->lines + (size_t)lane(self, x) * (size_t)n;
    const int32_t offset = self->sides == 2 && c->sends ? self->n : 0;
    const double own = own_price(self, c, x) + c->base;
    for (int32_t start = 0; start < n; start += BLOCK) {
        const int32_t stop = start + BLOCK;
        const double units = (best->slack - own) * GEM_UNITS + 1.0 - BIAS;
        const int32_t bound =
            units < BARRED - BIAS - 1 ? (int32_t)units : BARRED - BIAS - 1;
        if (line_minimum(cost + start, c->price + start, BLOCK) > bound)
            continue;
        for (int32_t k = start; k < stop; k++) {
            if (cost[k] + c->price[k] > bound)
                continue;
            const double slack = exact_slack(self, c, x, k + offset);
            if (slack < best->slack) {
                best->slack = slack;
                best->inner = x;
                best->outer = k + offset;
            }
        }
    }
}

/* Least slack across the cut: first bounds of all rows, then the rows that matter, the
 * most promising first. */
static entering_arc find_entering_arc(dual *self, const cut *c)
{
    const int32_t n = self->stride;
    gem_dual_work *work = self->work;
    entering_arc best = {GEM_NO_NODE, GEM_NO_NODE, INFINITY};
    int32_t rows = 0, first = 0;
    for (int32_t k = 0; k < c->count; k++) {
        const int32_t x = work->side[k];
        if (!takes_part(self, c, x))
            continue;
        const int16_t *line = c->lines + (size_t)lane(self, x) * (size_t)n;
        const int32_t least = line_minimum(line, c->price, n) + BIAS;
        if (least >= BARRED)
            continue;
        work->row_node[rows] = x;
        work->row_bound[rows] =
            (double)least / GEM_UNITS + c->base + own_price(self, c, x);
        if (work->row_bound[rows] < work->row_bound[first])
            first = rows;
        rows++;
    }
    self->watch->work += (int64_t)rows * n / 4;
    if (rows == 0)
        return best;
    /* Two values were rounded down by less than a unit each. */
    best.slack = work->row_bound[first] + 2.001 / GEM_UNITS;
    search_row(self, c, work->row_node[first], &best);
    for (int32_t k = 0; k < rows; k++)
        if (k != first && work->row_bound[k] < best.slack)
            search_row(self, c, work->row_node[k], &best);
    return best;
}

/* ------------------------------------------------------------------ pivot */

/* Make the entering arc tight, and let the side take part again. */
static void update_potentials(dual *self, const cut *c, double slack)
{
    const gem_dual_work *work = self->work;
    const double shift = c->sends ? slack : -slack;
    for (int32_t k = 0; k < c->count; k++) {
        const int32_t x = work->side[k];
        self->tree->f[x] += shift;
        write_price(self, x);
    }
}

static void pivot(dual *self, const cut *c, const entering_arc *arc)
{
    gem_tree *tree = self->tree;
    const int32_t leaving = c->leaving, old_parent = tree->node[leaving].parent;
    const int inside = tree->node[leaving].size <= tree->n / 2;
    const int32_t tail = c->sends ? arc->inner : arc->outer;
    const int32_t head = c->sends ? arc->outer : arc->inner;
    const double cost =
        gem_cost(self->costs, (size_t)lane(self, tail), (size_t)lane(self, head));
    const int32_t below = inside ? arc->inner : arc->outer;
    const int32_t above = inside ? arc->outer : arc->inner;

    const int32_t join =
        gem_tree_exchange(tree, leaving, below, above, below == tail, cost);
    update_potentials(self, c, arc->slack);
    write_price(self, leaving);
    write_price(self, old_parent);
    write_price(self, below);
    write_price(self, above);
    for (int32_t x = leaving; x != join; x = tree->node[x].parent)
        list_if_negative(self, x);
    for (int32_t x = old_parent; x != join; x = tree->node[x].parent)
        list_if_negative(self, x);
}

/* In the restricted search a rest of one node, which has lost its only arc, takes part. */
static void open_rest_of_one(dual *self, const cut *c)
{
    gem_tree *tree = self->tree;
    if (self->sides == 2 || tree->n - c->count != 1)
        return;
    const int inside = tree->node[c->leaving].size <= tree->n / 2;
    const int32_t x = inside ? tree->node[c->leaving].parent : c->leaving;
    const double f = tree->f[x];
    c->price[x] = quantise(self, (c->sends ? f : -f) - c->base);
}

/* ------------------------------------------------------------------ solve */

static void list_negative_flows(dual *self)
{
    self->length = 0;
    for (int32_t x = 0; x < self->tree->n; x++) {
        self->work->listed[x] = 0;
        if (x != self->tree->root)
            list_if_negative(self, x);
    }
}

/* Potentials afresh from the tree, so that rounding never adds up over solves. */
static void finish(gem_tree *tree)
{
    const int32_t centre = gem_tree_centroid(tree);
    if (centre != tree->root)
        gem_tree_reroot(tree, centre);
    gem_tree_traverse(tree);
    gem_tree_sum_supplies(tree);
    tree->f[tree->root] = 0.0;
    gem_tree_potentials(tree);
}

gem_transport_status gem_dual_solve(const gem_transport_costs *costs, gem_tree *tree,
                                    int sides, gem_dual_work *work, gem_watch *watch,
                                    int64_t *pivots, int *solved)
{
    dual self = {
        .costs = costs, .tree = tree, .work = work, .watch = watch, .sides = sides};
    const int64_t limit = 20 + (int64_t)tree->n;
    gem_transport_status status = GEM_TRANSPORT_OK;
    int64_t done = 0;
    int32_t leaving;

    *solved = 0;
    if (!reserve(work, (size_t)tree->n))
        return GEM_TRANSPORT_NO_MEMORY;
    self.n = (int32_t)costs->n;
    self.stride = (int32_t)costs->stride16;
    self.restricted = costs->is_metric;
    gem_tree_sum_supplies(tree);
    list_negative_flows(&self);
    if (self.length)
        write_prices(&self);
    while ((leaving = find_leaving_arc(&self)) != GEM_NO_NODE) {
        if (done++ == limit)
            break;
        const cut c = open_cut(&self, leaving);
        open_rest_of_one(&self, &c);
        const entering_arc arc = find_entering_arc(&self, &c);
        if (arc.inner == GEM_NO_NODE)
            break;
        pivot(&self, &c, &arc);
        if (self.stale)
            write_prices(&self);
        if (gem_watch_stops(watch, c.count)) {
            status = GEM_TRANSPORT_INTERRUPTED;
            break;
        }
    }
    *solved = leaving == GEM_NO_NODE;
    *pivots += done;
    if (done)
        finish(tree);
    return status;
}
