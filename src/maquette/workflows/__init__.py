"""What a person can do, one function per verb. The command line and the studio call only these."""
