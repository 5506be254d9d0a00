"""Pieces around a pipeline of diffusers: what hears it, dresses it, and makes it ready for a card."""
