"""The ways in which models write one action; ``table`` lists them, one module a family."""
