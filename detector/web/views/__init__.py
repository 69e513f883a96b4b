"""The live view as browsers and programs get it: pictures, events and figures."""
