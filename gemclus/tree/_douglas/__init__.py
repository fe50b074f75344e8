"""Douglas: a differentiable tree of soft bins."""
