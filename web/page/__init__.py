"""The page: what a person sees on the local port. Rendered here, livened up by htmx and one stream of events."""
