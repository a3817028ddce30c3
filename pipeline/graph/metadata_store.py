"""Where MLMD keeps its store."""

from ml_metadata.proto import metadata_store_pb2

from pipeline.settings.config import Config


def connection_config(config: Config) -> metadata_store_pb2.ConnectionConfig:
    """Names MLMD's SQLite file; TFX's own function would make its folder as well."""
    return metadata_store_pb2.ConnectionConfig(
        sqlite=metadata_store_pb2.SqliteMetadataSourceConfig(
            filename_uri=str(config.root_dir / "metadata.sqlite"),
            connection_mode=metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE,
        )
    )
