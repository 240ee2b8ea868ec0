"""baker: moshi-server baked into container images, so that containers start instead of installing."""

__version__ = "0.1.0"
