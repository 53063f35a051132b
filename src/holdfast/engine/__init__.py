"""Where work runs: worker processes on this machine, or this process itself."""
