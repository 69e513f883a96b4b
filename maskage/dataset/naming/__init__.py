"""What the names of photos say: whom they name, and which photo they are a copy of."""
