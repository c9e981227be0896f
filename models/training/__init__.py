"""How the weights that ship were made: objectives, data, the loop, and one entry point for each kind of model."""
