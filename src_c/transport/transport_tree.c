#include "transport_tree.h"

#include <stdlib.h>

int gem_tree_create(gem_tree *tree, int32_t n)
{
    tree->n = n;
    tree->root = 0;
    tree->node = calloc((size_t)n, sizeof *tree->node);
    tree->link = malloc((size_t)n * sizeof *tree->link);
    tree->f = malloc((size_t)n * sizeof *tree->f);
    tree->order = malloc(((size_t)n + 2) * sizeof *tree->order);
    if (tree->node && tree->link && tree->f && tree->order)
        return 1;
    gem_tree_destroy(tree);
    return 0;
}

void gem_tree_destroy(gem_tree *tree)
{
    free(tree->node);
    free(tree->link);
    free(tree->f);
    free(tree->order);
    tree->node = NULL;
    tree->link = NULL;
    tree->f = NULL;
    tree->order = NULL;
}

void gem_tree_clear(gem_tree *tree)
{
    for (int32_t x = 0; x < tree->n; x++) {
        gem_node *node = tree->node + x;
        node->parent = node->prev = GEM_NO_NODE;
        node->up = 0;
        node->cost = 0.0;
        tree->link[x].first_child = tree->link[x].next = GEM_NO_NODE;
        tree->f[x] = 0.0;
    }
}

void gem_tree_hang(gem_tree *tree, int32_t x, int32_t parent, int up, double cost)
{
    gem_node *child = tree->node + x;
    const int32_t sibling = tree->link[parent].first_child;
    child->parent = parent;
    child->up = (uint8_t)up;
    child->cost = cost;
    child->prev = GEM_NO_NODE;
    tree->link[x].next = sibling;
    if (sibling != GEM_NO_NODE)
        tree->node[sibling].prev = x;
    tree->link[parent].first_child = x;
}

static void unhang(gem_tree *tree, int32_t x)
{
    const gem_node *child = tree->node + x;
    const int32_t next = tree->link[x].next;
    if (child->prev != GEM_NO_NODE)
        tree->link[child->prev].next = next;
    else
        tree->link[child->parent].first_child = next;
    if (next != GEM_NO_NODE)
        tree->node[next].prev = child->prev;
}

void gem_tree_reroot(gem_tree *tree, int32_t x)
{
    int32_t below = GEM_NO_NODE;
    int up = 0;
    double cost = 0.0;
    tree->root = x;
    while (x != GEM_NO_NODE) {
        gem_node old = tree->node[x];
        if (old.parent != GEM_NO_NODE)
            unhang(tree, x);
        if (below == GEM_NO_NODE) {
            tree->node[x].parent = tree->node[x].prev = tree->link[x].next =
                GEM_NO_NODE;
        } else {
            gem_tree_hang(tree, x, below, up, cost);
        }
        below = x;
        up = !old.up;
        cost = old.cost;
        x = old.parent;
    }
}

int32_t gem_tree_centroid(const gem_tree *tree)
{
    /* Walk down from the root while one child holds more than half of the nodes. */
    int32_t x = tree->root;
    for (;;) {
        int32_t heavy = tree->link[x].first_child;
        while (heavy != GEM_NO_NODE && tree->node[heavy].size <= tree->n / 2)
            heavy = tree->link[heavy].next;
        if (heavy == GEM_NO_NODE)
            return x;
        x = heavy;
    }
}

void gem_tree_traverse(gem_tree *tree)
{
    gem_node *node = tree->node;
    const int32_t *order = tree->order;
    gem_tree_side(tree, tree->root, 1, tree->order);
    for (int32_t x = 0; x < tree->n; x++) {
        node[x].size = 1;
        node[x].out_degree = node[x].in_degree = 0;
    }
    for (int32_t k = tree->n - 1; k > 0; k--) {
        gem_node *here = node + order[k], *above = node + here->parent;
        above->size += here->size;
        here->out_degree += here->up;
        above->in_degree += here->up;
        here->in_degree += !here->up;
        above->out_degree += !here->up;
    }
}

void gem_tree_sum_supplies(gem_tree *tree)
{
    gem_node *node = tree->node;
    for (int32_t x = 0; x < tree->n; x++)
        node[x].net = node[x].supply;
    for (int32_t k = tree->n - 1; k > 0; k--) {
        const gem_node *here = node + tree->order[k];
        node[here->parent].net += here->net;
    }
}

void gem_tree_potentials(gem_tree *tree)
{
    for (int32_t k = 1; k < tree->n; k++) {
        const int32_t x = tree->order[k];
        const gem_node *here = tree->node + x;
        tree->f[x] = tree->f[here->parent] + (here->up ? here->cost : -here->cost);
    }
}

int32_t gem_tree_find_join(const gem_tree *tree, int32_t x, int32_t y)
{
    const gem_node *node = tree->node;
    while (x != y) {
        if (node[x].size < node[y].size)
            x = node[x].parent;
        else
            y = node[y].parent;
    }
    return x;
}

int32_t gem_tree_exchange(gem_tree *tree, int32_t leaving, int32_t inner, int32_t outer,
                          int up, double cost)
{
    gem_node *node = tree->node;
    const int32_t moved = node[leaving].size;
    const int64_t net = node[leaving].net;
    int32_t x = node[leaving].parent, y = outer;

    node[x].out_degree -= !node[leaving].up;
    node[x].in_degree -= node[leaving].up;
    node[leaving].out_degree -= node[leaving].up;
    node[leaving].in_degree -= !node[leaving].up;
    node[inner].out_degree += up;
    node[inner].in_degree += !up;
    node[outer].out_degree += !up;
    node[outer].in_degree += up;

    /* Update flow above the cut: the moved subtree weighs on another branch. */
    while (x != y) {
        if (node[x].size < node[y].size) {
            node[x].size -= moved;
            node[x].net -= net;
            x = node[x].parent;
        } else {
            node[y].size += moved;
            node[y].net += net;
            y = node[y].parent;
        }
    }

    /* Update tree: turn the path inner .. leaving and hang it below outer. */
    int32_t z = inner, below = outer, size_below = 0;
    int64_t net_below = 0;
    for (;;) {
        const gem_node old = node[z];
        unhang(tree, z);
        gem_tree_hang(tree, z, below, up, cost);
        node[z].size = moved - size_below;
        node[z].net = net - net_below;
        if (z == leaving)
            return x;
        below = z;
        up = !old.up;
        cost = old.cost;
        size_below = old.size;
        net_below = old.net;
        z = old.parent;
    }
}

int32_t gem_tree_side(const gem_tree *tree, int32_t x, int inside, int32_t *list)
{
    const gem_links *link = tree->link;
    const int32_t skipped = inside ? GEM_NO_NODE - 1 : x;
    int32_t tail = 1, head = 1;
    list[0] = inside ? x : tree->root;
    list[1] = link[list[0]].first_child;
    if (list[1] == skipped)
        list[1] = link[x].next;
    tail += list[1] != GEM_NO_NODE;
    /* Each node is appended by its parent or its sibling. Whether there is one is
     * hard to predict, so it is always written, and then counted or not. */
    while (head < tail) {
        const gem_links here = link[list[head++]];
        const int32_t child =
            here.first_child == skipped ? link[x].next : here.first_child;
        const int32_t next = here.next == skipped ? link[x].next : here.next;
        list[tail] = child;
        tail += child != GEM_NO_NODE;
        list[tail] = next;
        tail += next != GEM_NO_NODE;
    }
    return tail;
}
