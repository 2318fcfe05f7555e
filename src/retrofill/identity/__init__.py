"""Who somebody is, and how that is found out: hashes of passwords, providers of identities, the server's own key."""
