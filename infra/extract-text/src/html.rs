//! HTML becomes Markdown: the article where a page has one, else all but its menus. What is nested deeper than any page that people
//! write is read without its structure, because parsers of trees go as deep as the tree.

use crate::markdown;
use dom_smoothie::Readability;
use domain::knowledge::Origin;
use htmd::HtmlToMarkdown;
use ports::extract::Extracted;

/// Open elements within each other.
const DEEP: usize = 400;
/// For the thread that reads: enough for [`DEEP`] in an unoptimised build.
const STACK: usize = 128 << 20;
/// Bytes of a page in which an article is looked for: that takes several passes.
const ARTICLE: usize = 2 << 20;
const LEFT_OUT: [&str; 14] = [
    "script", "style", "nav", "header", "footer", "aside", "noscript", "template", "svg", "form",
    "button", "iframe", "head", "dialog",
];

/// # Errors
/// A sentence when the parsers can't read it.
pub fn read(text: &str) -> Result<Extracted, String> {
    let broken = || "this HTML can’t be read: save the page as text or as a PDF.".to_owned();
    if depth(text) > DEEP {
        let mut extracted = markdown::of_text(&stripped(text), Origin::EXTRACTED, None);
        extracted.skipped.push(
            "the structure: its elements are nested too deeply, so it was read as plain text."
                .to_owned(),
        );
        return Ok(html(extracted, None));
    }
    // A thread of its own also keeps a parser's panic from everybody else.
    let read = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let reading = thread.spawn_scoped(scope, || within(text));
        reading.map(|reading| reading.join().map_err(|_| broken()))
    });
    read.map_err(|_| broken())??.ok_or_else(broken)
}

fn within(text: &str) -> Option<Extracted> {
    let convert = |html: &str| {
        let converter = HtmlToMarkdown::builder().skip_tags(LEFT_OUT.to_vec());
        converter.build().convert(html).ok()
    };
    let whole = convert(text)?;
    let article = match text.len() <= ARTICLE {
        true => Readability::new(text, None, None)
            .ok()
            .and_then(|mut page| page.parse().ok()),
        false => None,
    };
    let title = article
        .as_ref()
        .map(|article| article.title.trim().to_owned());
    let inner = article.and_then(|article| convert(&article.content));
    // An article is most of its page; where it is not, it may be a comment.
    let inner = inner.filter(|inner| inner.len() * 2 >= whole.len());
    let left_out = inner
        .as_ref()
        .is_some_and(|inner| inner.len() + 200 < whole.len());
    let mut extracted = markdown::of_text(&inner.unwrap_or(whole), Origin::EXTRACTED, None);
    if left_out {
        extracted
            .skipped
            .push("what stands around the article.".to_owned());
    }
    Some(html(extracted, title))
}

fn html(extracted: Extracted, title: Option<String>) -> Extracted {
    Extracted {
        title: title
            .filter(|title| !title.is_empty())
            .unwrap_or(extracted.title),
        media_type: "text/html".to_owned(),
        ..extracted
    }
}

/// How deep elements may stand within each other, as their tags say. Those that close themselves or one another are not counted.
fn depth(text: &str) -> usize {
    const FLAT: [&str; 26] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
        "source", "track", "wbr", "p", "li", "dt", "dd", "tr", "td", "th", "option", "thead",
        "tbody", "tfoot", "colgroup",
    ];
    let (mut now, mut most) = (0_usize, 0);
    for tag in text.split('<').skip(1) {
        let closes = tag.starts_with('/');
        let name = tag.trim_start_matches('/');
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        let name = name[..end].to_ascii_lowercase();
        if name.is_empty() || FLAT.contains(&name.as_str()) {
            continue;
        }
        now = match closes {
            true => now.saturating_sub(1),
            false => now + 1,
        };
        most = most.max(now);
    }
    most
}

/// The text between the tags.
fn stripped(html: &str) -> String {
    let mut text = String::new();
    let mut hidden: Option<&str> = None;
    for (at, part) in html.split('<').enumerate() {
        let (tag, said) = match at {
            0 => ("", part),
            _ => part.split_once('>').unwrap_or((part, "")),
        };
        let name = tag
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '/')
            .next();
        let name = name.unwrap_or_default().to_ascii_lowercase();
        match hidden {
            Some(element) if name.strip_prefix('/') == Some(element) => hidden = None,
            Some(_) => continue,
            None => hidden = ["script", "style"].into_iter().find(|it| *it == name),
        }
        if hidden.is_none() {
            let said = said.trim();
            if !said.is_empty() {
                text.push_str(said);
                text.push('\n');
            }
        }
    }
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    entities
        .into_iter()
        .fold(text, |text, (entity, c)| text.replace(entity, c))
}
