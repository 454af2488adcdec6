"""Backups: made at night from a living agent, tried before they count, and put back by a command."""
