"""Log shippers: their images, the places of their files, and their configurations, each in its own syntax."""
