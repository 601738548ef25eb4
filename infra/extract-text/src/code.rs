//! Which names are source code, or text for machines, where lines count and identifiers are what is looked for.

/// By what follows the last dot, in small letters.
pub fn media_type(ending: &str) -> Option<&'static str> {
    Some(match ending {
        "rs" => "text/x-rust",
        "py" | "pyi" => "text/x-python",
        "js" | "mjs" | "cjs" | "jsx" => "text/javascript",
        "ts" | "tsx" | "mts" => "text/x-typescript",
        "go" => "text/x-go",
        "java" => "text/x-java",
        "kt" | "kts" => "text/x-kotlin",
        "scala" => "text/x-scala",
        "swift" => "text/x-swift",
        "c" | "h" => "text/x-c",
        "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" => "text/x-c++",
        "cs" => "text/x-csharp",
        "rb" => "text/x-ruby",
        "php" => "text/x-php",
        "pl" | "pm" => "text/x-perl",
        "lua" => "text/x-lua",
        "r" => "text/x-r",
        "jl" => "text/x-julia",
        "hs" => "text/x-haskell",
        "ml" | "mli" => "text/x-ocaml",
        "ex" | "exs" => "text/x-elixir",
        "erl" => "text/x-erlang",
        "clj" | "lisp" | "el" | "scm" => "text/x-lisp",
        "zig" => "text/x-zig",
        "dart" => "text/x-dart",
        "sh" | "bash" | "zsh" | "fish" => "text/x-shellscript",
        "ps1" => "text/x-powershell",
        "sql" => "text/x-sql",
        "css" | "scss" | "less" => "text/css",
        "vue" | "svelte" => "text/x-component",
        "proto" => "text/x-protobuf",
        "tf" | "hcl" => "text/x-hcl",
        "json" | "jsonl" | "ndjson" => "application/json",
        "yaml" | "yml" => "application/yaml",
        "toml" => "application/toml",
        "xml" | "xsd" | "svg" => "application/xml",
        "csv" | "tsv" => "text/csv",
        "ini" | "cfg" | "conf" | "properties" | "env" => "text/x-configuration",
        "diff" | "patch" => "text/x-diff",
        "log" => "text/x-log",
        "cmake" | "mk" => "text/x-makefile",
        _ => return None,
    })
}

/// By a whole name.
pub fn of_file(name: &str) -> Option<&'static str> {
    Some(match name {
        "Makefile" | "makefile" | "GNUmakefile" | "justfile" => "text/x-makefile",
        "Dockerfile" | "Containerfile" => "text/x-dockerfile",
        _ => return None,
    })
}
