"""The delivery log as CSV, JSON Lines and XLSX."""
