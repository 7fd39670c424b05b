"""Where the pods of an app are, and what that means: pure functions over small projections of live objects."""
