"""The server: OpenAI's chat API and routes of our own over one agent (docs/architecture.md, "Serving")."""
