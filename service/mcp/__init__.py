"""The agent for other agents: its tools, lists, conversations and copy over the Model Context Protocol."""
