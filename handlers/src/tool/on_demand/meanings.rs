//! One deed under many names: a tool says `get_user_details`, who looks for it wants to “look up the customer's profile”.

/// Words that tools use for about the same, each of which stands for all of its line. Only what is general: what a trade calls things is in the
/// descriptions. Measured by `cargo xtask bench tokens` with queries that a model wrote.
const MEANINGS: [&str; 14] = [
    "get retrieve fetch view show read look lookup check see find obtain access open return",
    "details information info record data profile account",
    "search find query lookup",
    "list show all",
    "create add make new open insert",
    "update change modify edit set adjust replace add",
    "delete remove cancel drop erase",
    "send issue give post",
    "calculate compute sum add multiply subtract total",
    "think reason plan reflect analyze",
    "run execute start invoke",
    "transfer escalate hand forward",
    "book reserve order buy",
    "download save export",
];

/// What else the words of a tool's name, and the first of its description, may be called.
pub fn of(name: &str, description: &str) -> String {
    let first = description.split_whitespace().next().unwrap_or_default();
    let said: Vec<String> = parts(name).into_iter().chain(parts(first)).collect();
    let is_said = |word: &str| {
        let inflected = |said: &String| said.strip_suffix('s') == Some(word);
        said.iter().any(|said| said == word || inflected(said))
    };
    let meant = MEANINGS.into_iter();
    let meant = meant.filter(|words| words.split(' ').any(is_said));
    meant.collect::<Vec<_>>().join(" ")
}

/// The words of an identifier, in lower case.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && small) {
            parts.push(String::new());
        }
        small = c.is_lowercase();
        if let Some(part) = parts.last_mut().filter(|_| c.is_alphanumeric()) {
            part.extend(c.to_lowercase());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        assert_eq!(
            parts("getUser_details-HTML2"),
            ["get", "user", "details", "html2"]
        );
        assert_eq!(parts("__"), Vec::<String>::new());
    }

    #[test]
    fn a_verb_stands_for_others() {
        assert!(of("getIssue", "").contains("retrieve"));
        assert!(of("issue", "Returns an issue.").contains("retrieve"));
        assert_eq!(of("weather", "The weather."), "");
    }
}
