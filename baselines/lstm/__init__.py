"""The recurrent rivals of LLaRP: a text encoder, a picture and an LSTM (paper C.3).

Nothing is imported here, so that what needs no transformers does not load it.
"""
