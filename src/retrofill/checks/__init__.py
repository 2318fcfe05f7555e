"""Extension checks: plugins, and webhooks over HTTP (VER-3). Each is asked in a process of its own."""
