"""The first floor: everything that waits."""
