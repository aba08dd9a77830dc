"""The fixtures of `pacs_fixtures`, for these tests."""

from tests.engine.pacs_fixtures import in_keyring, orthanc, programs, receiver_port, studies  # noqa: F401
