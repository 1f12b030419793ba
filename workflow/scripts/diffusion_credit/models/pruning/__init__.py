"""Pruning, a module for each kind of network and named after it, apart from it so that an edit retrains nothing. It has

- `prune(model, architecture, options)`, in place; returns the pruned network's architecture. options: of the study's
  `pruning`, without `refit`.
"""
