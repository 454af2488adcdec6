"""The speed figures: `python -m tests.bench [names] [--json] [--short]`. Every peer runs in the same session, in turns."""
