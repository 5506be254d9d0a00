"""The worker: takes admitted jobs, has them rendered, and sees each to its end."""
