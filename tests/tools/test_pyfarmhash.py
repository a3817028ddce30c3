"""The replacement of pyfarmhash returns the values of the original."""

import farmhash
import pytest

# Printed by pyfarmhash 0.3.2.
FINGERPRINTS = {
    "": 11160318154034397263,
    "abc": 2640714258260161385,
    "petal_length": 7898961940413253518,
    "é" * 50: 2456893889797950300,
    "x" * 200: 13938988265971950527,
}


@pytest.mark.parametrize(("text", "fingerprint"), FINGERPRINTS.items())
def test_fingerprint64_is_farmhashs(text: str, fingerprint: int) -> None:
    assert farmhash.fingerprint64(text) == fingerprint


def test_fingerprint32_stays_in_its_range() -> None:
    assert all(0 <= farmhash.fingerprint32(text) < 2**32 for text in FINGERPRINTS)
