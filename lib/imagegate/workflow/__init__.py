"""What the state machine runs, one module per state, and the parts they share."""
