"""The settings' screens."""
