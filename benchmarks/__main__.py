"""``python -m benchmarks`` lists the benchmarks; ``python -m benchmarks NAME [--json]`` runs one."""

import argparse
import sys

from benchmarks import imports, web
from benchmarks.figures import as_json, as_table

BENCHES = {"web": web, "imports": imports}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHES))
    parser.add_argument("--json", action="store_true", help="one object a line instead of a table")
    arguments = parser.parse_args()
    if arguments.name is None:
        for name, bench in BENCHES.items():
            print(f"{name:10} {(bench.__doc__ or '').splitlines()[0]}")
        return 0
    figures = BENCHES[arguments.name].run()
    print(as_json(figures) if arguments.json else as_table(figures))
    return 0 if all(figure.met is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
