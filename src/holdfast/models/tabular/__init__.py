"""Models of tables: a declarative column recipe, a portfolio of learners, ONNX graphs."""
