"""The command `ladder`: one module per group of commands, each loaded only when it is called."""
