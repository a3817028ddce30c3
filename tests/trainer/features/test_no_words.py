"""Tags and text of which no word has an id."""

from pathlib import Path
from typing import Any

from tests.helpers.preprocessed import analyze, serve
from trainer.features.columns import make_feature_columns
from trainer.settings.train import TrainerSettings

SETTINGS: dict[str, Any] = {
    "label": "label",
    "features": {
        "once": "text",
        "averaged": {"kind": "text", "encode": "embedding"},
        "tags": {"kind": "tags", "oov_buckets": 0},
    },
}
COLUMNS: dict[str, list[Any]] = {
    "once": [b"a b", b"c", b"d"],
    "averaged": [b"a b", b"c", b"d"],
    "tags": [b"|", b"", b" "],
    "label": [b"x", b"y", b"x"],
}


def test_columns_without_words_have_no_ids(tmp_path: Path) -> None:
    _, output = analyze(COLUMNS, SETTINGS, tmp_path)

    served = serve({**COLUMNS, "tags": [b"red", b"a b", b""]}, SETTINGS, output)

    assert {name: values.values.tolist() for name, values in served.items()} == {
        "once": [],
        "once_weight": [],
        "averaged": [],
        "tags": [],
    }
    columns = make_feature_columns(TrainerSettings.model_validate(SETTINGS), output)
    assert [column.name for column in columns.encoded] == [
        "once_weighted_by_once_weight_embedding",
        "averaged_embedding",
        "tags_indicator",
    ]
