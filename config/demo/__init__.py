"""The demonstration: people, recipes and the main job, all through the product's own doors."""
