"""Read edges out of texts: an extractor proposes, `prove` keeps only what stands literally in the text and fits the schema."""
