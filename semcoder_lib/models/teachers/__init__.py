"""Texts written on request by a language model: few-shot, rejection sampling, budgets, resume.

Section 4.2.3 of the paper (monologues by a teacher) and 3.3 (rationales). The teacher stands
behind an OpenAI-compatible endpoint (`Endpoint`) or is an engine in this process (`Local`).
"""

from semcoder_lib.models.teachers.ask import Budget, Task, Taught, ask
from semcoder_lib.models.teachers.chats import Shot, backward_chat, forward_chat, shot
from semcoder_lib.models.teachers.endpoint import Endpoint
from semcoder_lib.models.teachers.local import Local
from semcoder_lib.models.teachers.replies import Price, Reply, Teacher, Unanswered, Usage

__all__ = [
    "Budget",
    "Endpoint",
    "Local",
    "Price",
    "Reply",
    "Shot",
    "Task",
    "Taught",
    "Teacher",
    "Unanswered",
    "Usage",
    "ask",
    "backward_chat",
    "forward_chat",
    "shot",
]
