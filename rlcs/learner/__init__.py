"""From judged groups to new weights: advantages, packing, losses, the DeepSpeed ranks."""
