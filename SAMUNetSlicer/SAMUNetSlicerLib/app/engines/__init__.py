"""Talk to the network, which runs in a thread, in a child process, or as a dummy.

Every engine is an `EngineClient`: a request returns a `Ticket` at once, and `poll` delivers the answers.
"""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "backgroundCommand": ("BackgroundCommand",),
        "childProcess": ("EngineLaunch", "EngineProcess"),
        "client": ("BLOCK_SECONDS", "EngineClient", "Ticket"),
        "dummyEngine": ("DummyEngine", "RADIUS", "SPEC"),
        "processEngine": ("ProcessEngine",),
        "squarePixels": ("SquarePixels",),
        "threadEngine": ("ThreadEngine",),
    },
)
