"""How good a model is, how sure that is, and of which photos it holds. No Keras."""
