"""What runs on the GPU, or in its place: engines, the encoder, and a child process that speaks JSON lines."""
