"""Events and alarms, and where they are sent."""
