/* The spanning tree of a network simplex basis: the structure that the cold
 * (primal) and the warm (dual) method share.
 *
 * Node x hangs from node[x].parent by one basic arc, whose direction is `up`:
 *     up = 1   arc x -> parent,        potentials obey f[x] - f[parent] =  cost
 *     up = 0   arc parent -> x,        potentials obey f[parent] - f[x] =  cost
 * `net` is the sum of the supplies in the subtree of x. What the subtree has
 * too much must leave by the arc above x, so the flow on this arc is `net` if
 * up, `-net` if not, and the basis is primal feasible when no flow is negative.
 * Supplies are integers: every sum is exact and no flow tolerance exists.
 *
 * Nothing here allocates after gem_tree_create. A node takes 68 bytes.
 */
#ifndef GEM_TRANSPORT_TREE_H
#define GEM_TRANSPORT_TREE_H

#include <stdint.h>

#define GEM_NO_NODE (-1)

typedef struct gem_node {
    int64_t net;    /* supply of the whole subtree */
    int64_t supply; /* supply of the node alone */
    double cost;    /* of the arc to the parent */
    int32_t parent;
    int32_t prev;                  /* the sibling before */
    int32_t size;                  /* nodes in the subtree */
    int32_t out_degree, in_degree; /* basic arcs that leave / enter the node */
    uint8_t up;
} gem_node;

typedef struct gem_links {
    int32_t first_child, next; /* next: the sibling after */
} gem_links;

/* What pivots do to whole subtrees, walk through them and shift their potentials, stays
 * in small arrays of its own. */
typedef struct gem_tree {
    gem_node *node;
    gem_links *link;
    double *f;      /* potentials */
    int32_t *order; /* parents before children; see gem_tree_traverse */
    int32_t n, root;
} gem_tree;

/* Memory for n nodes; returns 0 when there is none. */
int gem_tree_create(gem_tree *tree, int32_t n);
void gem_tree_destroy(gem_tree *tree);

/* Cut all nodes loose: no parents, no children. Supplies are kept. */
void gem_tree_clear(gem_tree *tree);
/* Hang x, which must be loose, below parent. Sizes, nets and f are left alone. */
void gem_tree_hang(gem_tree *tree, int32_t x, int32_t parent, int up, double cost);
/* Make x the root by turning the path above it; then traverse again. */
void gem_tree_reroot(gem_tree *tree, int32_t x);
/* The node whose removal leaves the smallest largest part. Needs sizes. */
int32_t gem_tree_centroid(const gem_tree *tree);

/* Write `order`, then sizes and degrees. O(n). */
void gem_tree_traverse(gem_tree *tree);
/* Nets from the supplies, bottom-up along `order`. O(n). */
void gem_tree_sum_supplies(gem_tree *tree);
/* Potentials from the arc costs, top-down along `order`, f[root] kept. O(n). */
void gem_tree_potentials(gem_tree *tree);

static inline int64_t gem_tree_flow(const gem_node *node)
{
    return node->up ? node->net : -node->net;
}

/* Nearest common ancestor of x and y, climbing from the smaller subtree. */
int32_t gem_tree_find_join(const gem_tree *tree, int32_t x, int32_t y);

/* Pivot: the arc above `leaving` is replaced by the arc between `inner`, a node
 * of the subtree of `leaving`, and `outer`, a node outside it. `up` says that
 * the new arc goes inner -> outer. Links, sizes, nets and degrees are updated along
 * the cycle only; potentials are not touched. Returns the join node of the cycle. */
int32_t gem_tree_exchange(gem_tree *tree, int32_t leaving, int32_t inner, int32_t outer,
                          int up, double cost);

/* List the nodes of the subtree of x (inside = 1) or all others (inside = 0) in
 * `list`, which has room for n + 2, parents first; returns how many. */
int32_t gem_tree_side(const gem_tree *tree, int32_t x, int inside, int32_t *list);

#endif
