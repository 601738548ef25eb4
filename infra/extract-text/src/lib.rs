//! Text, Markdown, HTML and source code, in whatever encoding.
