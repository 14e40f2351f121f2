"""How every benchmark speaks: a table of figures beside their limits, an exit code."""

import operator

import attrs

WITHIN = {"≥": operator.ge, "≤": operator.le, "=": operator.eq}


@attrs.frozen(kw_only=True)
class Figure:
    """One line of a table."""

    name: str
    """What was measured."""

    value: float
    """How much of it there is."""

    limit: float | None = None
    """What it is held to; None for a figure that only informs."""

    sense: str = "≥"
    """How the value must stand to the limit."""

    unit: str = ""
    """What stands behind the value."""

    note: str = ""
    """Whatever else a reader wants to know."""

    @property
    def good(self) -> bool:
        """Whether the value is within its limit."""
        return self.limit is None or WITHIN[self.sense](self.value, self.limit)

    def cells(self) -> tuple[str, str, str, str]:
        """What the table shows of it, verdict and note apart."""
        limit = "" if self.limit is None else f"{self.sense} {self.limit:g}"
        verdict = "" if self.limit is None else "ok" if self.good else "FALLS SHORT"
        return self.name, f"{self.value:.4g}{self.unit}", limit, verdict


def show(title: str, figures: list[Figure]) -> int:
    """Print the table; return the exit code, 1 if a figure falls short."""
    rows = [("", "measured", "limit", ""), *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    notes = ["", *(figure.note for figure in figures)]
    print(f"\n{title}")
    for (name, value, limit, verdict), note in zip(rows, notes, strict=True):
        line = f"  {name:{widths[0]}}  {value:>{widths[1]}}  {limit:>{widths[2]}}"
        print(f"{line}  {verdict:{widths[3]}}  {note}".rstrip())
    return int(not all(figure.good for figure in figures))
