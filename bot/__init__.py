"""Chat in, chat out: a client of the gateway."""
