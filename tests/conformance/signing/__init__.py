"""A second implementation of host/trust/FORMAT.md, written from the documents and sharing nothing with the first."""
