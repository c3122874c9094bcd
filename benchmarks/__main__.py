"""``python -m benchmarks`` lists the benchmarks; ``python -m benchmarks NAME [--json]`` runs one."""

import argparse
import sys
from typing import Any

from benchmarks import imports, ltv, night, web
from benchmarks.figures import as_json, as_table

BENCHES = {"web": web, "imports": imports, "ltv": ltv, "night": night}


def main() -> int:
    asked: dict[str, Any] = vars(_parser().parse_args())
    name, json = asked.pop("name"), asked.pop("json", False)
    if name is None:
        for name, bench in BENCHES.items():
            print(f"{name:10} {(bench.__doc__ or '').splitlines()[0]}")
        return 0
    run: Any = BENCHES[name].run
    figures = run(**{key: value for key, value in asked.items() if value is not None})
    print(as_json(figures) if json else as_table(figures))
    return 0 if all(figure.met is not False for figure in figures) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = parser.add_subparsers(dest="name")
    parsers = {name: names.add_parser(name, description=bench.__doc__) for name, bench in BENCHES.items()}
    for one in parsers.values():
        one.add_argument("--json", action="store_true", help="one object a line instead of a table")
    parsers["ltv"].add_argument(
        "--customers", type=int, action="append", dest="sizes", help="only at this size; may be repeated"
    )
    night.add_arguments(parsers["night"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
