"""The HTTP door: decode, ask, encode. Not here: who is asked and what comes of it (engine/)."""
