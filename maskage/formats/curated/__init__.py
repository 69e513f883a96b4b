"""The files of a curated set, and of what is exported from one."""
