"""Kauri: an unsupervised tree grown by kernel k-means gains."""
