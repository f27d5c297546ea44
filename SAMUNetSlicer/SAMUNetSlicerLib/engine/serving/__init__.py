"""Serve encode and predict requests: cached embeddings, order of jobs, the child process and its messages."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "cache": ("embedding_key", "EmbeddingCache"),
        "cpu_threads": ("limit_threads", "most_threads", "ThreadGovernor", "wait_passively"),
        "disk_cache": ("DiskTier",),
        "frames": ("FrameError", "FrameReader", "MAGIC", "Message", "pack"),
        "job_loop": ("JobLoop",),
        "jobs": ("Job", "JobQueue", "Priority"),
        "messages": ("job_from", "job_message", "outcome_from", "outcome_message", "status_from"),
        "reports": ("EncodeReport", "EngineStatus", "LearnReport", "ModelSpec", "PredictReport"),
        "sent_images": ("ImageReceiver", "ImageSender"),
        "service": ("EngineService",),
    },
)
