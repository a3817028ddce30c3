"""The commands of the command line, a file each: its parser and its handler."""
