"""What is seen: detectors, and the process that they run in."""
