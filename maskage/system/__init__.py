"""What the operating system does for the tools: files, locks, folders, processes, signals."""
