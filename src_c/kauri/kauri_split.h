/* What a split does to the state of a Kauri tree. */
#ifndef GEM_KAURI_SPLIT_H
#define GEM_KAURI_SPLIT_H

#include "kauri_state.h"

int32_t kauri_add_node(gem_kauri_tree *tree, int32_t depth, int32_t cluster,
                       int32_t size);
/* Whether the rules allow to split a leaf. */
int kauri_may_open(const kauri_state *s, const kauri_leaf *leaf);
/* Find out whether a new leaf may be split, and then prepare its cuts. */
gem_kauri_status kauri_open_leaf(kauri_state *s, kauri_leaf *leaf);
/* Split a leaf: its left side takes its place, its right side is appended. */
gem_kauri_status kauri_split_leaf(kauri_state *s, kauri_leaf *leaf, kauri_split split);

#endif
