"""The pages of the documentation, as `langrearrange help TOPIC` prints them."""
