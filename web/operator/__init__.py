"""The operator's page and JSON API of a hosted proxy, on a port of its own; never mounted on the public one."""
