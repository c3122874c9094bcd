"""``python -m benchmarks`` lists the benchmarks; ``python -m benchmarks NAME [--json]`` runs one."""

import argparse
import sys

from benchmarks import imports, ltv, web
from benchmarks.figures import as_json, as_table

BENCHES = {"web": web, "imports": imports, "ltv": ltv}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHES))
    parser.add_argument(
        "--customers", type=int, action="append", help="only at this size; may be repeated (ltv)"
    )
    parser.add_argument("--json", action="store_true", help="one object a line instead of a table")
    arguments = parser.parse_args()
    if arguments.name is None:
        for name, bench in BENCHES.items():
            print(f"{name:10} {(bench.__doc__ or '').splitlines()[0]}")
        return 0
    if arguments.customers and arguments.name != "ltv":
        parser.error("--customers is for ltv")
    sizes = {"sizes": tuple(arguments.customers)} if arguments.customers else {}
    figures = BENCHES[arguments.name].run(**sizes)
    print(as_json(figures) if arguments.json else as_table(figures))
    return 0 if all(figure.met is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
