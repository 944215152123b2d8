"""What the host offers, and the words it shares with components."""
