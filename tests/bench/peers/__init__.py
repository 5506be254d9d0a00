"""Peers: other queues beside ours, in one run on one server; each among its own packages, since their needs clash."""
