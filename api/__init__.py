"""The gateway: HTTP in, HTTP out. Every rule about who may do what stands here."""
