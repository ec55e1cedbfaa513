"""What a user types: flags, environment variables, one run, exit status."""
