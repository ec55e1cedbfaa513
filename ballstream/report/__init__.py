"""What is told of sessions: live, and when they are over."""
