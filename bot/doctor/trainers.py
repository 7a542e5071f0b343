"""The trainers at SageMaker: is each job's order one that AWS would take, and does AWS answer the bot about it?"""

from collections.abc import Iterator
from typing import cast

from bot.app import registries
from bot.config import Plug, Settings
from bot.connectors.sagemaker import SageMaker
from bot.core.errors import AiopsError
from bot.core.models import Model
from bot.doctor.data import made
from bot.doctor.remarks import Remark, ok, problem

KIND = "sagemaker"


def trainers(settings: Settings) -> Iterator[Remark]:
    """Ask about the jobs of each platform of this kind that plays a part other than serving for a model."""
    for model in settings.models_with(registries().checks).values():
        for name in dict.fromkeys(model.connectors.values()):
            plug = settings.platforms[name]
            if plug.kind == KIND:
                yield _asked(name, plug, model)


def _asked(name: str, plug: Plug, model: Model) -> Remark:
    try:
        platform = cast("SageMaker", made(name, plug, registries().connectors))
        try:
            words = platform.startable()
        finally:
            platform.close()
    except AiopsError as reason:
        return problem("trainer", f"'{name}', for {model.key}: {reason}", "Is its section in aiops.yaml right?")
    return ok("trainer", f"'{name}', for {model.key}: {words}.")
