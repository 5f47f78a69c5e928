"""Where protobuf ends: a servicer turns messages into the model and decisions into messages, and does nothing else."""
