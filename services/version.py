"""The one version: of the command line, the packages, the tags (v1.2.3) and CHANGELOG.md."""

__version__ = "0.1.0"
