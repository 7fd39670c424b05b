"""Hold `simulate` against the real kube-scheduler over many random layouts: make simulate-check.

Prints the shares in which both agree. Ends with 1 if a hard layout differs.
"""

import argparse
import os
import sys
import time

from tests.scheduler_check import compare

from devcluster import cluster as clusters


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layouts", type=int, default=200, help="how many (200)")
    parser.add_argument("--seed", type=int, default=1000, help="of the first layout (1000)")
    arguments = parser.parse_args()
    name = f"simulate-check-{os.getpid()}"
    clusters.delete_leftovers("simulate-check-")
    began = time.monotonic()
    try:
        cluster = clusters.create(name)
        verdicts = compare(cluster, range(arguments.seed, arguments.seed + arguments.layouts))
    finally:
        clusters.delete(name)
    print("\n".join(verdicts.lines()))
    print(f"{arguments.layouts} layouts in {time.monotonic() - began:.0f} s")
    return 1 if verdicts.apart else 0


if __name__ == "__main__":
    sys.exit(main())
