"""What bytes mean: protocols as machines, without I/O and without a clock."""
