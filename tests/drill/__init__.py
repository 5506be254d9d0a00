"""The crash drill: a show in which gateways, workers and the broker are killed, and what must hold afterwards."""
