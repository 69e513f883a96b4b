"""Facts about photos (subject, session, group): setting and correcting them, and taking it back."""
