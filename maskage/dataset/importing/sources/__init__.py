"""What lies in a source: every entry, the class of each picture, tables, other datasets."""
