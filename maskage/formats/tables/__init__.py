"""Tables that people bring, as spreadsheets and other programs write them."""
