"""The recurrent learners LSTM-Flan and LSTM-LLaMA: policy, text encoder and LSTM state."""
