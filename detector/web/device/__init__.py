"""The camera of the device that the page is open on: its pictures come in, labels go back."""
