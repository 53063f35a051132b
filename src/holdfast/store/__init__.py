"""A project's disk: the catalog and the objects. Nothing else writes there."""
