"""Training: the RL run with its loop and schedules, the cold start, and the evaluation."""
