"""The sections of a study's configuration: every option with its type, default, unit and one sentence."""
