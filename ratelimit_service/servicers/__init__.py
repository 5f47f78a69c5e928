"""The protocols that this service speaks: messages in, the model's nouns out, and back."""
