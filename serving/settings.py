"""The section `serving` of the configuration; no TensorFlow."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from trainer.settings.base import FiniteFloat, FrozenList, Section

Version = Annotated[int, Field(ge=0)]


class VersionSettings(Section):
    """Which versions in the folder of a model are served."""

    policy: Literal["latest", "all", "specific"] = Field(
        "latest", description="Which versions are served: the newest, all, or those in `numbers`."
    )
    latest: int = Field(1, ge=1, description="How many of the newest, with `latest`.")
    numbers: Annotated[tuple[Version, ...], FrozenList] = Field(
        (), description="The versions, with `specific`."
    )
    labels: dict[str, Version] = Field(
        default_factory=dict,
        description="Names for versions, as in `/v1/models/<name>/labels/<label>`.",
    )
    poll_seconds: FiniteFloat = Field(
        0.25, gt=0, description="Seconds between looks at the folder for new versions."
    )

    @model_validator(mode="after")
    def _numbers_are_for_specific(self) -> "VersionSettings":
        if (self.policy == "specific") != bool(self.numbers):
            raise ValueError("numbers are needed with policy specific, and only there")
        return self


class BatchingSettings(Section):
    """How requests are merged; the names are those of TensorFlow Serving's batching parameters."""

    max_batch_size: int = Field(
        256, ge=1, description="Examples in one call of the model, merged from requests that wait."
    )
    max_enqueued_batches: int = Field(
        64, ge=1, description="How many such calls may wait; a request beyond is answered 429."
    )
    num_batch_threads: int = Field(1, ge=1, description="Calls of one version at a time.")

    @property
    def max_enqueued_examples(self) -> int:
        """How many examples may wait."""
        return self.max_batch_size * self.max_enqueued_batches


class LimitSettings(Section):
    """What a client may ask for."""

    body_bytes: int = Field(2**24, ge=1024, description="Bytes of a request's body.")
    examples: int = Field(4096, ge=1, description="Examples in one request.")
    json_depth: int = Field(64, ge=4, le=500, description="Levels of a JSON body.")
    timeout_seconds: FiniteFloat = Field(
        30.0, gt=0, description="Seconds for a request to arrive, and for its answer."
    )
    connections: int = Field(1024, ge=1, description="HTTP connections at a time.")


class TlsSettings(Section):
    """Files for TLS, PEM."""

    certificate: str = Field(min_length=1, description="Certificate of the server, and its chain.")
    key: str = Field(min_length=1, description="Its private key.")


class ServingSettings(Section):
    """The server of the pushed model, `pipeline serve`."""

    host: str = Field(
        "127.0.0.1", min_length=1, description="Address to listen at; `0.0.0.0` is every one."
    )
    rest_port: int = Field(8501, ge=0, le=65535, description="Port of REST; 0 takes a free one.")
    grpc_port: int = Field(8500, ge=0, le=65535, description="Port of gRPC; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Processes that share the ports.")
    check_values: bool = Field(
        False,
        description="Whether values unlike those of the training are refused, or only counted.",
    )
    access_log: bool = Field(
        False, description="Whether each request is logged, a JSON line on standard output."
    )
    drain_seconds: FiniteFloat = Field(
        1.0, ge=0, description="Seconds from SIGTERM in which clients are sent elsewhere."
    )
    tls: TlsSettings | None = Field(None, description="Files for TLS; null serves without.")
    versions: VersionSettings = VersionSettings()
    batching: BatchingSettings = BatchingSettings()
    limits: LimitSettings = LimitSettings()
