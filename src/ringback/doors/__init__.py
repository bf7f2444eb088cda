"""How we are reached: each door decodes, asks the verifier, and encodes."""
