"""The shell: one file per verb of the loop; plain functions that load, call stages and persist."""
