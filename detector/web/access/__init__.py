"""The access to the page: connections, headers, tokens and passwords."""
