"""Convert engine requests and answers to and from messages."""

from dataclasses import asdict
from typing import Any, Callable, Dict, Optional, Tuple, Union

import numpy as np

from ... import errors
from ..learning import Appearance, Example, Known
from ..types import Prediction, Prompts
from .frames import Message
from .jobs import Job, Priority
from .reports import EncodeReport, EngineStatus, LearnReport, ModelSpec, PredictReport

JobOutcome = Union[errors.UserError, Any]


def job_message(job: Job) -> Message:
    """Return the request for ``job``, to be turned back by `job_from`."""
    fields, arrays = _PACK_ARGUMENTS.get(job.operation, _nothing)(job.arguments)
    return Message(job.operation, {**fields, "ticket": job.ticket, "priority": int(job.priority)}, arrays)


def job_from(message: Message) -> Job:
    arguments = _READ_ARGUMENTS.get(message.kind, lambda _: {})(message)
    return Job(message.fields["ticket"], message.kind, Priority(message.fields["priority"]), arguments)


def outcome_message(ticket: int, outcome: JobOutcome) -> Message:
    """Return the answer to request ``ticket``: what it returned, or the error with which it ended."""
    if isinstance(outcome, errors.UserError):
        return Message("error", {"ticket": ticket, "error": type(outcome).__name__, "sentence": str(outcome)})
    fields, arrays = _pack_result(outcome)
    return Message("result", {**fields, "ticket": ticket, "type": type(outcome).__name__}, arrays)


def outcome_from(message: Message) -> Tuple[int, JobOutcome]:
    ticket = message.fields["ticket"]
    if message.kind == "error":
        return ticket, _error(message.fields["error"], message.fields["sentence"])
    return ticket, _READ_RESULT[message.fields["type"]](message)


def status_message(status: Optional[EngineStatus]) -> Message:
    """Return what is loaded now, to be turned back by `status_from`."""
    return Message("status", {"status": None if status is None else status.to_dict()})


def status_from(message: Message) -> Optional[EngineStatus]:
    data = message.fields["status"]
    return None if data is None else EngineStatus.from_dict(data)


def _error(name: str, sentence: str) -> errors.UserError:
    kind = getattr(errors, name, None)
    is_known = isinstance(kind, type) and issubclass(kind, errors.UserError)
    return (kind if is_known else errors.EngineError)(sentence)


def _nothing(arguments: dict) -> Tuple[dict, Dict[str, np.ndarray]]:
    return {}, {}


def _pack_load(arguments: dict) -> Tuple[dict, Dict[str, np.ndarray]]:
    return {"spec": arguments["spec"].to_dict()}, {}


def _pack_encode(arguments: dict) -> Tuple[dict, Dict[str, np.ndarray]]:
    return {}, {"image": arguments["image"]}


def _pack_predict(arguments: dict) -> Tuple[dict, Dict[str, np.ndarray]]:
    prompts = arguments["prompts"]
    arrays = {"points": prompts.points, "labels": prompts.labels, "boxes": prompts.boxes}
    if prompts.mask is not None:
        arrays["mask"] = prompts.mask
    return {}, {**arrays, "image": arguments["image"]}


def _pack_recognize(arguments: dict) -> Tuple[dict, Dict[str, np.ndarray]]:
    fields, arrays = _pack_predict(arguments)
    known = arguments["known"]
    own = {"values": known.values, "neighbor": known.neighbor}
    return {**fields, "appearance": known.appearance.to_dict()}, {**arrays, **own}


def _pack_learn(arguments: dict) -> Tuple[dict, Dict[str, np.ndarray]]:
    arrays = {}
    for number, example in enumerate(arguments["examples"]):
        arrays[f"values {number}"], arrays[f"mask {number}"] = example.values, example.mask
    return {"examples": len(arguments["examples"])}, arrays


def _read_learn(message: Message) -> dict:
    arrays, count = message.arrays, message.fields["examples"]
    return {"examples": [Example(arrays[f"values {n}"], arrays[f"mask {n}"]) for n in range(count)]}


def _read_recognize(message: Message) -> dict:
    arrays, appearance = message.arrays, Appearance.from_dict(message.fields["appearance"])
    return {**_read_predict(message), "known": Known(arrays["values"], arrays["neighbor"], appearance)}


def _read_predict(message: Message) -> dict:
    arrays = message.arrays
    prompts = Prompts(arrays["points"], arrays["labels"], arrays["boxes"], arrays.get("mask"))
    return {"image": arrays["image"], "prompts": prompts}


def _pack_result(result: Any) -> Tuple[dict, Dict[str, np.ndarray]]:
    if isinstance(result, PredictReport):
        return _pack_report(result)
    if isinstance(result, LearnReport):
        return {"appearance": result.appearance.to_dict(), "learn_ms": result.learn_ms}, {}
    if isinstance(result, (EngineStatus, EncodeReport)):
        return {"data": asdict(result)}, {}
    return {"data": result}, {}


def _pack_report(report: PredictReport) -> Tuple[dict, Dict[str, np.ndarray]]:
    prediction = report.prediction
    fields = {
        "confidence": float(prediction.confidence),
        "notes": list(prediction.notes),
        "encoding": asdict(report.encoding),
        "decode_ms": report.decode_ms,
        "agreement": report.agreement,
        "likeness": report.likeness,
    }
    return fields, {name: getattr(prediction, name) for name in ("mask", "logits", "low_res_logits", "boxes")}


def _read_report(message: Message) -> PredictReport:
    fields = message.fields
    prediction = Prediction(confidence=fields["confidence"], notes=tuple(fields["notes"]), **message.arrays)
    encoding, own = EncodeReport(**fields["encoding"]), (fields["agreement"], fields["likeness"])
    return PredictReport(prediction, encoding, fields["decode_ms"], *own)


def _read_learned(message: Message) -> LearnReport:
    return LearnReport(Appearance.from_dict(message.fields["appearance"]), message.fields["learn_ms"])


_PACK_ARGUMENTS: Dict[str, Callable] = {
    "load": _pack_load,
    "encode": _pack_encode,
    "predict": _pack_predict,
    "learn": _pack_learn,
    "recognize": _pack_recognize,
}
_READ_ARGUMENTS: Dict[str, Callable] = {
    "load": lambda message: {"spec": ModelSpec.from_dict(message.fields["spec"])},
    "encode": lambda message: {"image": message.arrays["image"]},
    "predict": _read_predict,
    "learn": _read_learn,
    "recognize": _read_recognize,
}
_READ_RESULT: Dict[str, Callable] = {
    "PredictReport": _read_report,
    "LearnReport": _read_learned,
    "EncodeReport": lambda message: EncodeReport(**message.fields["data"]),
    "EngineStatus": lambda message: EngineStatus.from_dict(message.fields["data"]),
    "dict": lambda message: message.fields["data"],
    "NoneType": lambda message: None,
}
