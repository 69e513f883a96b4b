"""Who may see the page and send to it: connections, headers, tokens and passwords."""
