"""Sending messages to people, by way of Apprise: e-mail, text messages and other services by URL."""
