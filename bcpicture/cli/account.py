"""What a demonstration did, and how that is told."""

from __future__ import annotations

import sys

import attrs
from rich.console import Console as Terminal
from rich.table import Table

from bcpicture.cli.codes import Exit
from bcpicture.cli.console import Console, count, size
from bcpicture.sync import Report


@attrs.frozen(kw_only=True)
class Leg:
    """One way of the pictures."""

    name: str
    """Up or down."""

    report: Report
    """What it achieved."""

    seconds: float
    """How long it took."""


@attrs.frozen(kw_only=True)
class Account:
    """What went up and came down, and whether it is still the same."""

    up: Leg
    """To Business Central."""

    down: Leg
    """Back again, each picture compared as it came."""

    identical: int
    """Pictures that came back byte for byte."""

    different: int
    """Pictures that came back changed, or not at all."""

    requests: int
    """Everything that was sent, tokens and listings included."""

    retries: int
    """Requests that had to be sent again."""

    @property
    def code(self) -> Exit:
        """Whether all is well."""
        failed = self.different or self.up.report.failures or self.down.report.failures
        return Exit.FAILED if failed or not self.identical else Exit.DONE

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        total = self.identical + self.different
        if not total:
            return "No picture found its item: nothing was shown."
        if self.different:
            return f"{self.different:,} of {count(total, 'picture')} came back changed."
        return f"{self.identical:,} of {total:,} came back identical, byte for byte."


def tell_account(console: Console, account: Account) -> None:
    """Tell it as a table to people, and as one line to machines."""
    legs = (account.up, account.down)
    if not console.as_json:
        _print(account, legs)
        return
    console.emit(
        identical=account.identical,
        different=account.different,
        requests=account.requests,
        retries=account.retries,
        **{
            leg.name: {
                "pictures": leg.report.done,
                "failed": len(leg.report.failures),
                "size": leg.report.size,
                "seconds": round(leg.seconds, 3),
            }
            for leg in legs
        },
    )


def _print(account: Account, legs: tuple[Leg, ...]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for header in ("", "pictures", "bytes", "seconds", "per second"):
        table.add_column(header, justify="right" if header else "left")
    for leg in legs:
        table.add_row(
            leg.name,
            f"{leg.report.done:,}",
            size(leg.report.size),
            f"{leg.seconds:,.2f}",
            f"{leg.report.done / leg.seconds:,.0f}" if leg.seconds else "",
        )
    style = "bold red" if account.code else "bold green"
    terminal = Terminal(file=sys.stdout, highlight=False)
    terminal.print(table)
    terminal.print(
        f"\n{count(account.requests, 'request')}, "
        f"{count(account.retries, 'retry', 'retries')}"
    )
    terminal.print(account.verdict, style=style)
