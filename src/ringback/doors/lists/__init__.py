"""Lists of addresses: read from files, and written with what was found. Not here: asking (engine/bulk.py)."""
