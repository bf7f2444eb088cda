"""`python -m ringback` is `ringback`."""

from .doors.cli import main

main()
