"""Words that commonly mean a missing value."""

NULL_WORDS = (
    *("NA", "N/A", "n/a", "na", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "Null", "\\N"),
    *("None", "none", "NONE", "nil", "?", "-", "--", ".", "..", "missing", "Missing", "MISSING"),
    *("unknown", "Unknown"),
)
