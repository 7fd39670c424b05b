"""What there is to say about an app when it is applied: pure, from an object and the nodes to warnings."""
