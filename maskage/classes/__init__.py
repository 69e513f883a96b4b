"""The classes of a dataset, as data: their folders, titles, keys, colours and factors."""
