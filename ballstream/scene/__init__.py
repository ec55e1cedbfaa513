"""What is shown: pure functions of time."""
