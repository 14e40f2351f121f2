"""What is asked of a listing, and the addresses that ask it."""

from __future__ import annotations

import attrs
from yarl import URL

from bcpicture.core import urls
from bcpicture.core.dialects import Parent
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.expressions import Expression, every
from bcpicture.core.splitting import split
from bcpicture.errors import UsageError

_FILTER = len("&$filter=")


@attrs.frozen(kw_only=True)
class Query:
    """The options of a listing."""

    filter: Expression | None = None
    """``$filter``; None for all records."""

    select: tuple[str, ...] = ()
    """``$select``; empty for all fields."""

    expand: tuple[str, ...] = ()
    """``$expand``."""

    order: tuple[str, ...] = ()
    """``$orderby``."""

    top: int | None = None
    """``$top``; None for no end."""

    counted: bool = False
    """``$count``."""

    def narrowed(self, expression: Expression) -> Query:
        """The same for those records that *expression* is true for, too."""
        if self.filter is not None:
            expression = every((self.filter, expression))
        return attrs.evolve(self, filter=expression)

    def addresses(
        self, endpoint: Endpoint, company_id: str, parent: Parent
    ) -> list[URL]:
        """Where it is asked; several if one address would be too long.

        Raises:
            UsageError: The filter is too long, and cannot be split.
        """
        options = self._options(parent)
        bare = urls.records(endpoint, company_id, parent, options)
        if self.filter is None:
            return [bare]
        parts = split(self.filter, urls.LIMIT - len(str(bare)) - _FILTER)
        if len(parts) > 1 and self.order:
            raise UsageError(
                f"The filter needs {len(parts)} requests, and each has its own order.",
                advice="Leave order_by out, and sort what comes.",
            )
        return [
            urls.records(
                endpoint, company_id, parent, [("$filter", str(part)), *options]
            )
            for part in parts
        ]

    def _options(self, parent: Parent) -> list[tuple[str, str]]:
        key = ("id", parent.key)
        select = dict.fromkeys((*key, *self.select)) if self.select else ()
        options = (
            ("$select", ",".join(select)),
            ("$expand", ",".join(dict.fromkeys(self.expand))),
            ("$orderby", ",".join(self.order)),
            ("$top", "" if self.top is None else str(self.top)),
            ("$count", "true" if self.counted else ""),
        )
        return [(name, value) for name, value in options if value]
