"""How runs are judged: what is the same for all (judge.py), and a file for each capability."""
