"""Tasks in PyTorch: how many numbers a head gives, the loss, and logits → answers.

Importing this package imports no PyTorch; `task_for` does.
"""

from striate.task._balance import weights_of_classes
from striate.task._base import Task
from striate.task._build import is_binary, task_for
from striate.task._registry import LossEntry, losses

__all__ = ["LossEntry", "Task", "is_binary", "losses", "task_for", "weights_of_classes"]
