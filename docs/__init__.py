"""The papers, and what writes their tables."""
