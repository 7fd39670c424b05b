"""kubectl-haapp: the operator's own pure functions at a terminal. One module per command."""
