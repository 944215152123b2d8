"""A second implementation of host/audit/FORMAT.md, written from the document and sharing nothing with the first."""
