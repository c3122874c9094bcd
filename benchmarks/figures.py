"""A figure, what stood beside it in the same run, and the goal for their ratio."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measurement. ``goal`` is the largest ratio allowed where less is better, the smallest where more is."""

    bench: str
    work: str
    figure: float
    unit: str
    beside: str = ""
    beside_figure: float | None = None
    goal: float | None = None
    more_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        return self.figure / self.beside_figure if self.beside_figure else None

    @property
    def met(self) -> bool | None:
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio >= self.goal if self.more_is_better else self.ratio <= self.goal

    def as_dict(self) -> dict[str, object]:
        rounded = {name: round(v, 3) if isinstance(v, float) else v for name, v in asdict(self).items()}
        rounded.pop("more_is_better")
        ratio = None if self.ratio is None else round(self.ratio, 3)
        return {**rounded, "ratio": ratio, "met": self.met}


def as_json(figures: list[Figure]) -> str:
    """One object a line."""
    return "\n".join(json.dumps(figure.as_dict(), ensure_ascii=False) for figure in figures)


def as_table(figures: list[Figure]) -> str:
    """For people."""
    head = ["work", "figure", "unit", "beside", "its figure", "ratio", "goal", "met"]
    rows = [head, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    numbers = {1, 4, 5, 6}
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i in numbers else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(figure: Figure) -> list[str]:
    sign = "≥" if figure.more_is_better else "≤"
    return [
        figure.work,
        _number(figure.figure),
        figure.unit,
        figure.beside or "–",
        _number(figure.beside_figure),
        _number(figure.ratio),
        "–" if figure.goal is None else f"{sign} {_number(figure.goal)}",
        {True: "yes", False: "NO", None: "–"}[figure.met],
    ]


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
