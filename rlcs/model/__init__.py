"""The model folder and its weights: what learner, engines and memory plan have in common."""
