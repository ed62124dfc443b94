"""Habitat's own data read from files: ReplicaCAD, YCB, scenes. No simulator is needed."""
