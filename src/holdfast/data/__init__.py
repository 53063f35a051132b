"""Raw input -> Dataset: read, infer, clean, name the rows, check, split."""
