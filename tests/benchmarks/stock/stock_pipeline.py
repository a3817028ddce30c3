"""A pipeline after TFX's guides: the stock components without tuning.

python stock_pipeline.py DATA_DIR OUT_DIR STEPS

DATA_DIR holds CSV files with columns of numbers or words, and `species`, a whole number below 3.
Prints one JSON object: seconds by node.
"""

import json
import sys
import time
from pathlib import Path

import tensorflow_model_analysis as tfma
from tfx import v1 as tfx
from tfx.orchestration.portable import launcher

_MODULE = str(Path(__file__).with_name("stock_model.py"))


def make_eval_config() -> tfma.EvalConfig:
    at_least = tfma.GenericValueThreshold(lower_bound={"value": 0.1})
    accuracy = tfma.MetricConfig(
        class_name="SparseCategoricalAccuracy",
        threshold=tfma.MetricThreshold(value_threshold=at_least),
    )
    model = tfma.ModelSpec(
        signature_name="serving_default",
        model_type="tf_generic",
        prediction_key="probabilities",
        label_key="species",
    )
    return tfma.EvalConfig(
        model_specs=[model],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=[tfma.MetricsSpec(metrics=[accuracy])],
    )


def make_pipeline(data_dir: Path, out_dir: Path, steps: int) -> tfx.dsl.Pipeline:
    example_gen = tfx.components.CsvExampleGen(input_base=str(data_dir))
    examples = example_gen.outputs["examples"]
    statistics_gen = tfx.components.StatisticsGen(examples=examples)
    statistics = statistics_gen.outputs["statistics"]
    schema_gen = tfx.components.SchemaGen(statistics=statistics, infer_feature_shape=True)
    schema = schema_gen.outputs["schema"]
    validator = tfx.components.ExampleValidator(statistics=statistics, schema=schema)
    transform = tfx.components.Transform(examples=examples, schema=schema, module_file=_MODULE)
    trainer = tfx.components.Trainer(
        module_file=_MODULE,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema,
        train_args=tfx.proto.TrainArgs(num_steps=steps),
        eval_args=tfx.proto.EvalArgs(),
    )
    resolver = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("Baseline")
    evaluator = tfx.components.Evaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=resolver.outputs["model"],
        eval_config=make_eval_config(),
    )
    folder = tfx.proto.PushDestination.Filesystem(base_directory=str(out_dir / "serving"))
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(filesystem=folder),
    )
    return tfx.dsl.Pipeline(
        pipeline_name="stock",
        pipeline_root=str(out_dir / "root"),
        components=[
            *(example_gen, statistics_gen, schema_gen, validator, transform),
            *(trainer, resolver, evaluator, pusher),
        ],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(out_dir / "metadata.sqlite")
        ),
    )


def main(data_dir: Path, out_dir: Path, steps: int) -> None:
    seconds: dict[str, float] = {}
    launch = launcher.Launcher.launch

    def timed(self: launcher.Launcher) -> object:
        start = time.perf_counter()
        result = launch(self)
        seconds[self._pipeline_node.node_info.id] = time.perf_counter() - start
        return result

    launcher.Launcher.launch = timed
    tfx.orchestration.LocalDagRunner().run(make_pipeline(data_dir, out_dir, steps))
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), int(sys.argv[3]))
