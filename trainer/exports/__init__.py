"""A trained model as ONNX and in other formats, each compared with the Keras model."""
