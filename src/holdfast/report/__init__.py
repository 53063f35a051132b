"""Values drawn for the terminal, for a page and for notebooks. It computes nothing."""
