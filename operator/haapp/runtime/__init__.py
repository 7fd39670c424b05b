"""The running process: which app is due, who works on it, who leads, and what is served over HTTP."""
