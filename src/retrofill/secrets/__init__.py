"""Where the values of secrets come from: the environment, a file of mode 0600, a command (SEC-3)."""
