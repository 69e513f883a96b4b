"""Hand a curated set, or a dataset, to others: as a folder, a zip, Parquet or COCO."""
