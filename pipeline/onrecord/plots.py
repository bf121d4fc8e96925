"""Figures of a run; see ``onrecord.report.figures``."""

from __future__ import annotations

from onrecord.report.figures import posture_by_speaker, posture_over_time, speaker_network

__all__ = ["posture_by_speaker", "posture_over_time", "speaker_network"]
