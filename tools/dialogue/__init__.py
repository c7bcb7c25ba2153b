"""What a conversation says about the next item: its mentions, its words, and what was recommended after similar ones."""
