"""Connection to the MLMD store."""

from ml_metadata.proto import metadata_store_pb2

from pipeline.settings.config import Config


def connection_config(config: Config) -> metadata_store_pb2.ConnectionConfig:
    """Makes the connection to MLMD's SQLite file; TFX's function also makes its folder."""
    return metadata_store_pb2.ConnectionConfig(
        sqlite=metadata_store_pb2.SqliteMetadataSourceConfig(
            filename_uri=str(config.root_dir / "metadata.sqlite"),
            connection_mode=metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE,
        )
    )
