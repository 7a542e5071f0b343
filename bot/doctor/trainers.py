"""The trainers at SageMaker: is each job's order one that AWS would take, and does AWS answer the bot about it?"""

from collections.abc import Iterator
from functools import partial

from bot.config import Settings
from bot.connectors.sagemaker import SageMaker
from bot.doctor.parts import Part, parts
from bot.doctor.remarks import Remark, ok


def trainers(settings: Settings) -> Iterator[Remark]:
    """Ask about the jobs of each platform of this kind that plays a part other than serving for a model."""
    for part in parts(settings, "sagemaker"):
        yield part.asked("trainer", partial(_startable, part))


def _startable(part: Part, platform: SageMaker) -> Remark:
    return ok("trainer", f"'{part.name}', for {part.model.key}: {platform.startable()}.")
