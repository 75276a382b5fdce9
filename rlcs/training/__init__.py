"""The runs: the RL loop, the cold start, evaluation, checkpoints, the run log."""
