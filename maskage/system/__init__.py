"""Services of the operating system: files, locks, folders, processes, signals."""
