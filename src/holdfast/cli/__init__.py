"""The command line: parses, calls the project, draws."""
