"""From a tree to what it is worth: fractions, fifty-digit numbers, sets of reals, SymPy."""
