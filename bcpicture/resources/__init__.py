"""The second floor: companies, items and their pictures."""
