"""The fixtures of `pacs_fixtures`, for these tests."""

from tests.engine.pacs_fixtures import orthanc, programs, receiver_port, studies  # noqa: F401
