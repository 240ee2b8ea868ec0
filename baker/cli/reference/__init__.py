"""What is written from the command line: the page of commands, the manual page and the completions of shells."""
