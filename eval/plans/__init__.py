"""Training pairs for the planner: requests of templates and of public dialogues, each with its right plan (docs/planning.md)."""
