"""The Ray cluster under a run: starting it, planning where processes go, losing some."""
