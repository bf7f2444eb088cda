"""All benchmarks, one after the other. Usage: python -m bench [--rounds N] [--seconds S] [--only NAME …]"""

from . import cached, cold, pending, start
from .figures import say

if __name__ == "__main__":
    for benchmark in (cold, cached, pending, start):
        say(f"\n# {benchmark.__name__.rpartition('.')[2]}\n")
        benchmark.main()
