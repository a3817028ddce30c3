"""A run: its nodes one after another, shown, tracked, kept and interrupted."""
