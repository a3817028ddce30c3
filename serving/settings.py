"""The section `serving` of the configuration; no TensorFlow."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from trainer.settings.base import FiniteFloat, FrozenList, Section

Version = Annotated[int, Field(ge=0)]


class VersionSettings(Section):
    """Which versions of a model are served, and how new ones are found."""

    policy: Literal["latest", "all", "specific"] = Field(
        "latest",
        description="Which versions are served: the newest (`latest`), all (`all`), or those in"
        " `numbers` (`specific`).",
    )
    latest: int = Field(
        1, ge=1, description="Number of newest versions to serve with policy `latest`."
    )
    numbers: Annotated[tuple[Version, ...], FrozenList] = Field(
        (), description="Versions to serve with policy `specific`."
    )
    labels: dict[str, Version] = Field(
        default_factory=dict,
        description="Labels for versions, used as in `/v1/models/<name>/labels/<label>`.",
    )
    poll_seconds: FiniteFloat = Field(
        0.25, gt=0, description="Seconds between two checks of the folder for new versions."
    )

    @model_validator(mode="after")
    def _numbers_are_for_specific(self) -> "VersionSettings":
        if (self.policy == "specific") != bool(self.numbers):
            raise ValueError("numbers must be set with policy specific, and only with it")
        return self


class BatchingSettings(Section):
    """How requests are merged into batches; TensorFlow Serving's batching parameters."""

    max_batch_size: int = Field(
        256, ge=1, description="Maximum number of examples in a batch of merged requests."
    )
    max_enqueued_batches: int = Field(
        64,
        ge=1,
        description="Maximum number of batches that may wait; further requests are refused (429).",
    )
    num_batch_threads: int = Field(
        1, ge=1, description="Number of batches that a version processes at the same time."
    )

    @property
    def max_enqueued_examples(self) -> int:
        """Maximum number of examples that may wait."""
        return self.max_batch_size * self.max_enqueued_batches


class LimitSettings(Section):
    """Limits on requests and connections."""

    body_bytes: int = Field(2**24, ge=1024, description="Maximum size of a request's body, bytes.")
    examples: int = Field(4096, ge=1, description="Maximum number of examples in a request.")
    values: int = Field(
        2**20,
        ge=1,
        description="Maximum number of values in a JSON body, with lists, objects and commas in"
        " strings counted too.",
    )
    json_depth: int = Field(
        64, ge=4, le=500, description="Maximum nesting of lists and objects in a JSON body."
    )
    timeout_seconds: FiniteFloat = Field(
        30.0,
        gt=0,
        description="Seconds within which a request must arrive, and then its response be ready.",
    )
    connections: int = Field(
        1024, ge=1, description="Maximum number of HTTP connections, and of concurrent gRPC calls."
    )


class TlsSettings(Section):
    """TLS certificate and key, PEM files."""

    certificate: str = Field(
        min_length=1, description="PEM file with the server's certificate and its chain."
    )
    key: str = Field(min_length=1, description="PEM file with the private key, without a password.")


class ServingSettings(Section):
    """The server for the pushed model, `pipeline serve`."""

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address to listen at; `0.0.0.0` means all interfaces.",
    )
    hosts: Annotated[tuple[str, ...], FrozenList] = Field(
        (),
        description="Names by which REST clients may call the server, such as that of a proxy. A"
        " server on the loopback interface also has `localhost` and its addresses; without names,"
        " one on another interface takes any.",
    )
    rest_port: int = Field(8501, ge=0, le=65535, description="Port of REST; 0 takes a free one.")
    grpc_port: int = Field(8500, ge=0, le=65535, description="Port of gRPC; 0 takes a free one.")
    workers: int = Field(
        1, ge=1, le=64, description="Number of server processes, which share the ports."
    )
    check_values: bool = Field(
        False,
        description="Whether a request with values that the training data does not allow is"
        " refused (400); otherwise they are only counted.",
    )
    access_log: bool = Field(
        False, description="Whether to log each request as a JSON line on standard output."
    )
    drain_seconds: FiniteFloat = Field(
        1.0,
        ge=0,
        description="Maximum seconds after SIGTERM in which the server still accepts connections"
        " and reports that it is not ready.",
    )
    tls: TlsSettings | None = Field(None, description="TLS certificate and key; null for no TLS.")
    versions: VersionSettings = VersionSettings()
    batching: BatchingSettings = BatchingSettings()
    limits: LimitSettings = LimitSettings()
