"""Training pairs for the writer: facts of an item, and a short text that says some of them."""
