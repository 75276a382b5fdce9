"""``rlcs grade``: offline difficulty, by asking models every problem several times."""
