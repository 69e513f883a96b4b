"""The guided tour: `detector demo`."""
