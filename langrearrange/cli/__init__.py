"""The command line: the only room that prints. One module per verb, loaded when it is called."""
