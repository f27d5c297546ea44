"""Share what the panel's sections are made of: fields, lists, progress, the poll timer, the status line."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "checkList": ("CheckList",),
        "choiceBox": ("ChoiceBox",),
        "fields": ("panelFields",),
        "parameterBinding": ("ParameterBinding",),
        "parameterNode": ("panelParameters",),
        "pollTimer": ("PollTimer",),
        "progressRow": ("ProgressRow",),
        "shortcuts": ("REDO_KEY", "Shortcuts", "TOOL_KEYS", "UNDO_KEY"),
        "sliceViews": ("renderLater", "SliceViews"),
        "statusLine": ("StatusLine",),
        "workWatch": ("WorkWatch",),
    },
)
