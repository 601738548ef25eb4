//! The text of a PDF, parsed in a process of its own inside the sandbox.
