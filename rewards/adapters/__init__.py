"""Other trainers' calling conventions: ``trl``, ``verl``, ``openrlhf``."""
