"""Training of the learned stages, one module a stage."""
