"""Which problems to draw, how many of them, and which of the rolled-out groups to train on."""
