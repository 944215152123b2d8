"""What this component exports and imports, as `wit/world.wit` says."""
