"""The domain of the studio: what a job, a lane, a clip and a stage are, and how they are kept."""

__version__ = "0.1.0"
