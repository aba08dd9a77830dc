"""The fixtures of `pacs_fixtures`, for these tests."""

from tests.engine.pacs_fixtures import (  # noqa: F401
    authority,
    dcmqrscp,
    get,
    move,
    orthanc,
    other_authority,
    pacs,
    programs,
    receiver_port,
    secure_orthanc,
    studies,
    web,
)
