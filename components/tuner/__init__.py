"""Searches for the settings that Trainer then trains with."""
