"""Turn a network and its weights into a model: image in, embedding; embedding and prompts in, logits out."""
