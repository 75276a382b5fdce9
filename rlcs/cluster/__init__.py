"""The Ray cluster under a run: starting it, placing processes on it, hearing of their ends."""
