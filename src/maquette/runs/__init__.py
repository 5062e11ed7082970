"""The run folder: what training writes, and what the command line, Python and the studio read."""
