"""The training of a model through its hooks: from the start to the last epoch."""
