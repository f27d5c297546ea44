"""Train and fine-tune the compact SAM-UNet."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "export": ("save_half",),
        "fine_tuning": ("finetune", "labeled_slices"),
        "frozen": ("FrozenStages",),
        "initialize": ("from_mobile_sam", "start_from", "with_decoder_of"),
        "interaction": ("Decoding", "draw_scripts", "play", "Script", "SimulatedUser"),
        "losses": ("dice_loss", "focal_loss", "mask_loss", "overlap"),
        "run": ("mixed", "RunOptions", "shifted", "train"),
        "teacher": ("BoxTeacher",),
        "trainer": ("averaged_weights", "CHECKPOINT", "LOG", "Trainer", "TrainOptions"),
    },
)
