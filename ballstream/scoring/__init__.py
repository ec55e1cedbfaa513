"""How good it was: truth and estimates in, statistics out; pure, time comes in as an argument."""
