"""The half of the studio that is rented on Modal: what runs there, and the commands that look after it."""
