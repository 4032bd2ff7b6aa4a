"""The same rules over files, with no broker."""
