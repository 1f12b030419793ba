"""The device that a study asks for, looked for before anything slow happens."""

from pathlib import Path

from diffusion_credit.base.errors import UserError

# Without one of these PyTorch has no GPU: NVIDIA's, Jetson's, AMD's, and any in the Windows subsystem for Linux
DEVICE_FILES = ("nvidia[0-9]*", "nvmap", "kfd", "dxg")


def require(device: str) -> None:
    """Raises UserError at once when the device that the config asks for is not there; nothing falls back to the CPU."""
    if device == "cpu":
        return
    if any(any(Path("/dev").glob(pattern)) for pattern in DEVICE_FILES):
        import torch  # takes seconds

        if torch.cuda.is_available():
            return
    raise UserError("config: device: found cuda, but PyTorch sees no GPU; expected one, or device: cpu")
