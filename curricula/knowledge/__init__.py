"""What is known about the difficulty of every problem, and how that is kept and saved."""
