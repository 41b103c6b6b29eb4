"""The config as frozen models: every key with its unit, bounds and default.

`docs/config.md` is checked against these models, and `lrfind schema` prints them as JSON Schema.
Knows no file and no torch: `lrfind.config` reads files into a `Spec`, `lrfind.workload` builds
what a `Spec` describes.
"""

from __future__ import annotations

from lrfind.spec.compilation import CompileSection
from lrfind.spec.distributed import DistributedSection
from lrfind.spec.frameworks import (
    BROUGHT,
    FRAMEWORKS,
    HuggingFaceSection,
    LightningSection,
    source_errors,
)
from lrfind.spec.refine import RefineSection
from lrfind.spec.section import (
    Section,
)
from lrfind.spec.sources import (
    DEFAULT_BATCH_SIZE,
    DataSection,
    LoaderSection,
    ModelSection,
    StepSection,
    TargetSection,
    ValidationSection,
)
from lrfind.spec.spec import (
    OutputSection,
    Spec,
)
from lrfind.spec.sweep import (
    StopSection,
    SuggestSection,
    SweepSection,
    empty_range,
)
from lrfind.spec.training import (
    GroupSection,
    LossSection,
    OptimizerSection,
    ScheduleSection,
)

__all__ = [
    "BROUGHT",
    "DEFAULT_BATCH_SIZE",
    "FRAMEWORKS",
    "CompileSection",
    "DataSection",
    "DistributedSection",
    "GroupSection",
    "HuggingFaceSection",
    "LightningSection",
    "LoaderSection",
    "LossSection",
    "ModelSection",
    "OptimizerSection",
    "OutputSection",
    "RefineSection",
    "ScheduleSection",
    "Section",
    "Spec",
    "StepSection",
    "StopSection",
    "SuggestSection",
    "SweepSection",
    "TargetSection",
    "ValidationSection",
    "empty_range",
    "source_errors",
]
