"""One visit of an app, from what is asked for and what is there to what is written and reported."""
