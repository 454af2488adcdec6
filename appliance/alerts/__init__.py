"""Alerts: what needs a person is told by e-mail and webhook, and so is that it is gone."""
