"""The HTML that all pages share."""
