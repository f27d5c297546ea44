"""Talk to the network, which runs in a thread, in a child process, or as a dummy.

Every engine is an `EngineClient`: a request returns a `Ticket` at once, and `poll` delivers the answers.
"""
