"""The two screens of the terminal program, and what threads send them."""
