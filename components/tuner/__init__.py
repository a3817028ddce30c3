"""The search for the settings that the Trainer then takes: TFX's Tuner."""
