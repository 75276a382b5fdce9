"""The folder of a run: its configuration, logs and checkpoints, what is shown meanwhile."""
