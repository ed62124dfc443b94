"""habitat_sim as a simulator, here or in a worker of its own environment."""
