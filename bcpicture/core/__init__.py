"""The ground floor: values and decisions, no I/O."""
