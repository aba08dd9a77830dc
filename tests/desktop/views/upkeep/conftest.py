"""The tiny bundle whose heads can be trained in seconds, and an archive that they can learn."""

from tests.engine.adapt.conftest import bundle, filled

__all__ = ["bundle", "filled"]
