"""The public listener: endpoint URLs and health, nothing else."""
