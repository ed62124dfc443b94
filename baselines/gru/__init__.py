"""A small recurrent learner for fast experiments; `engine` trains it. Nothing is imported here."""
