"""Curricula compared without training: on a simulated learner, or over the log of a run."""
