"""What all benchmarks can be told on their command line."""

import argparse
import sys


def options(doc: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, interleaved (3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of one run (3)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="names that begin so")
    parser.add_argument(
        "--sink", action="store_true", help="call Postfix's smtp-sink, not our hosts"
    )
    return parser.parse_args(sys.argv[1:])
