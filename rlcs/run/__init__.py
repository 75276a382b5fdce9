"""The folder of a run: its configuration, logs and checkpoints, what a person sees meanwhile."""
