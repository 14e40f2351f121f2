"""Stores of their own for many tenants, made when they are first asked for."""

from collections.abc import Callable, Iterator

import attrs

from bcpicture.emulator.store import Store


@attrs.define(eq=False)
class Stores:
    """What every tenant has."""

    home: str
    """The tenant that is there from the start."""

    make: Callable[[], Store] = attrs.field(repr=False)
    """Makes a store in the state of the first moment."""

    default: Store = attrs.field(init=False, repr=False)
    """The home tenant's store."""

    _others: dict[str, Store] = attrs.field(init=False, factory=dict, repr=False)

    def __attrs_post_init__(self) -> None:
        self.default = self.make()

    def of(self, tenant: str) -> Store:
        """The store of a tenant, by its canonical name."""
        if tenant == self.home:
            return self.default
        store = self._others.get(tenant)
        if store is None:
            store = self._others[tenant] = self.make()
        return store

    def reset(self) -> None:
        """Returns to the state of the first moment."""
        self.default.reset()
        self._others.clear()

    def __iter__(self) -> Iterator[tuple[str, Store]]:
        yield self.home, self.default
        yield from self._others.items()

    def __len__(self) -> int:
        """How many stores have been made so far."""
        return 1 + len(self._others)
