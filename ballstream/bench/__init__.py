"""Both ends, in processes of their own, under named scenarios."""
