"""A model as a folder of web pages that runs on a phone, without a server of its own."""
