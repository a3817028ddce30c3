"""Picks the latest blessed model other than the candidate."""

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.common import resolver

CANDIDATE = "candidate"
MODEL = "model"
BLESSING = "model_blessing"

Artifacts = dict[str, list[types.Artifact]]


class LatestOtherBlessedModelStrategy(resolver.ResolverStrategy):
    """Resolves the model that was blessed last, leaving out the candidate.

    TFX's strategy finds the candidate itself once it is blessed, so that a second run without any
    change would evaluate it again, against itself. A cached evaluation counts as a blessing, too.
    """

    def resolve_artifacts(self, store: mlmd.MetadataStore, input_dict: Artifacts) -> Artifacts:
        """Resolves `model` and `model_blessing`; both are empty if no other model is blessed.

        Args:
            store: MLMD.
            input_dict: All artifacts of the pipeline under `model` and `model_blessing`; under
                `candidate` the model to leave out, if there is one.

        Returns:
            The inputs with at most one artifact under each of the two keys.
        """
        candidates = {artifact.id for artifact in input_dict.get(CANDIDATE, [])}
        models = {artifact.id: artifact for artifact in input_dict[MODEL]}
        blessings = {
            blessing.id: blessing
            for blessing in input_dict[BLESSING]
            if blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY)
            and _model_id(blessing) in models.keys() - candidates
        }
        if not blessings:
            return {**input_dict, MODEL: [], BLESSING: []}
        latest = max(
            (event.execution_id, event.artifact_id)
            for event in store.get_events_by_artifact_ids(list(blessings))
            if event.type == metadata_store_pb2.Event.OUTPUT
        )
        blessing = blessings[latest[1]]
        return {**input_dict, MODEL: [models[_model_id(blessing)]], BLESSING: [blessing]}


def _model_id(blessing: types.Artifact) -> int:
    return int(blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY))
