"""Turn a user's prompts into what a network takes, and its logits into a mask."""
