"""Builds the pipeline: one graph of TFX components, from CSV files to a pushed model."""

from tfx.components import ExampleValidator, SchemaGen, Trainer
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2, transform_pb2
from tfx.types import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from components.baseline_resolver.strategy import LatestOtherBlessedModelStrategy
from components.data_gate.component import DataGate
from components.evaluator.component import Evaluator
from components.pusher.component import Pusher
from components.serving_check.component import ServingCheck
from components.statistics_gen.component import StatisticsGen
from components.transform.component import Transform
from pipeline.data.user_code import modules_of
from pipeline.graph.beam_runner import choose_beam
from pipeline.graph.code_digest import code_digest
from pipeline.graph.eval_config import make_eval_config, make_thresholds
from pipeline.graph.metadata_store import connection_config
from pipeline.graph.nodes import (
    columns_learnt_from,
    columns_of_words,
    keyed_by_code,
    make_base_resolver,
    make_drift,
    make_example_gen,
    make_reviewed,
    make_skew,
    make_stats_options,
    make_tuner,
    untuned_settings,
)
from pipeline.settings.config import Config
from trainer.settings.train import transform_settings


def create_pipeline(config: Config) -> Pipeline:
    """Makes the components and connects them.

    Args:
        config: The configuration.

    Returns:
        The pipeline; its state is stored below `config.root_dir`.
    """
    settings = config.trainer_settings

    # Reads the CSV files and splits the rows.
    example_gen = make_example_gen(config)

    # Computes statistics of every column of every split, and counts each class of the label.
    statistics_gen = keyed_by_code(
        StatisticsGen(
            examples=example_gen.outputs["examples"], stats_options=make_stats_options(config)
        ),
        "components.statistics_gen.component",
    )

    # Infers a schema from the train split.
    schema_gen = SchemaGen(
        statistics=statistics_gen.outputs["statistics"],
        exclude_splits=[split for split in config.data.splits if split != "train"],
    )

    # Imports the reviewed schema, which replaces the inferred one if there is one.
    reviewed = make_reviewed(config, schema_gen)
    schema = (reviewed or schema_gen).outputs["schema"]

    # Checks the statistics against the schema.
    example_validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema
    )

    # Measures the distance of the data to earlier data and to a given file, if configured.
    drift = make_drift(config, statistics_gen)
    skew = make_skew(config, statistics_gen)

    # Stops the run if the data has errors; all nodes that learn wait for it.
    data_gate = keyed_by_code(
        DataGate(
            examples=example_gen.outputs["examples"],
            statistics=statistics_gen.outputs["statistics"],
            anomalies=example_validator.outputs["anomalies"],
            schema=schema,
            stop_at=config.validation.stop_at,
            is_reviewed=config.data.schema_path is not None,
            label=config.data.label,
            columns=columns_learnt_from(config),
            columns_of_words=columns_of_words(config),
            warnings=config.warnings,
            drift=drift[-1].outputs["distances"] if drift else None,
            skew=skew[-1].outputs["distances"] if skew else None,
        ),
        "components.data_gate.component",
    )

    # Learns the transformation from the train split, and applies it to train and eval. A test split
    # is not transformed, since the model is judged on raw rows.
    transform = keyed_by_code(
        Transform(
            examples=example_gen.outputs["examples"],
            schema=schema,
            splits_config=transform_pb2.SplitsConfig(
                analyze=["train"], transform=["train", "eval"]
            ),
            preprocessing_fn="trainer.preprocessing.preprocessing_fn",
            custom_config={"settings": transform_settings(settings)},
            disable_analyzer_cache=True,
            disable_statistics=True,
        ),
        "components.transform.component",
        "trainer.preprocessing",
        *modules_of(settings.model.preprocessing_fn),
    )
    transform.add_upstream_node(data_gate)

    # Finds the model for a warm start, if configured.
    base_resolver = make_base_resolver(config)
    base_model = base_resolver.outputs["model"] if base_resolver else None

    # Searches for the best settings to train with, if configured.
    tuner = make_tuner(config, transform, base_model)

    # Trains the custom Estimator and exports it as a SavedModel. run_fn is told the digest of its
    # code, so that it does not resume a training by other code.
    trainer = Trainer(
        run_fn="trainer.run.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema,
        base_model=base_model,
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        train_args=trainer_pb2.TrainArgs(splits=["train"], num_steps=settings.train.steps),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config={
            "settings": untuned_settings(config),
            "code_digest": code_digest("trainer.run", *modules_of(settings.model.model_fn)),
        },
    )

    # Finds the model to compare with.
    baseline_resolver = Resolver(
        strategy_class=LatestOtherBlessedModelStrategy,
        candidate=trainer.outputs["model"],
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    ).with_id("BaselineResolver")

    # Evaluates the model on raw examples, and blesses it if every threshold holds.
    evaluator = keyed_by_code(
        Evaluator(
            examples=example_gen.outputs["examples"],
            model=trainer.outputs["model"],
            baseline_model=baseline_resolver.outputs["model"],
            schema=schema,
            eval_config=make_eval_config(config),
            task=config.task,
            thresholds=make_thresholds(config),
            split=config.data.judged_split,
        ),
        "components.evaluator.component",
        "components.evaluator.metrics",
    )

    # Runs the exported model as a server does, and compares its predictions with the Estimator's.
    serving_check = keyed_by_code(
        ServingCheck(
            examples=example_gen.outputs["examples"],
            model=trainer.outputs["model"],
            model_run=trainer.outputs["model_run"],
            transform_graph=transform.outputs["transform_graph"],
            split=config.data.judged_split,
            rows=config.push.check_rows,
            tolerance=config.push.tolerance,
            max_milliseconds=config.push.max_milliseconds,
            reference_fn="trainer.reference.predict",
        ),
        "components.serving_check.component",
        "trainer.reference",
    )

    # Publishes the model as a new version if it is blessed by both, with a description of the raw
    # columns by which the server checks requests.
    pusher = keyed_by_code(
        Pusher(
            model=trainer.outputs["model"],
            model_blessing=evaluator.outputs["blessing"],
            infra_blessing=serving_check.outputs["serving_blessing"],
            push_dir=str(config.push_dir),
            schema=schema,
            statistics=statistics_gen.outputs["statistics"],
            features=config.features,
        ),
        "components.pusher.component",
    )

    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(config.pipeline_root),
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            *([reviewed] if reviewed else []),
            example_validator,
            *drift,
            *skew,
            data_gate,
            transform,
            *([base_resolver] if base_resolver else []),
            *([tuner] if tuner else []),
            trainer,
            baseline_resolver,
            evaluator,
            serving_check,
            pusher,
        ],
        enable_cache=config.cache,
        metadata_connection_config=connection_config(config),
        beam_pipeline_args=choose_beam(config).args,
    )
