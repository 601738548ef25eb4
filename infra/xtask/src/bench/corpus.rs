//! Passages of Debian's documentation packages, and searches for them. Packages are downloaded with apt's client and unpacked,
//! not installed, into the cache, where the passages stay as JSON lines.

use anyhow::{Context, Result, bail};
use serde_json::json;
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::project::Project;

const PACKAGES: [&str; 11] = [
    "rust-doc",
    "postgresql-doc-15",
    "python3.11-doc",
    "debian-handbook",
    "git-doc",
    "debian-policy",
    "developers-reference",
    "maint-guide",
    "openjdk-17-doc",
    "cppreference-doc-en-html",
    "sqlite3-doc",
];
/// Bytes of a passage: 500 to 1000 tokens of about four.
const SHORTEST: usize = 400;
const USUAL: usize = 2400;
/// More would only take longer.
const MOST: usize = 90_000;

/// The file of passages, made when it is not there.
pub fn passages(project: &Project) -> Result<PathBuf> {
    let directory = project.cache_entry("debian-docs", &PACKAGES);
    let file = directory.join("corpus.jsonl");
    if file.exists() {
        return Ok(file);
    }
    let packages = directory.join("packages");
    let unpacked = directory.join("unpacked");
    fs::create_dir_all(&packages)?;
    let mut download = project.clean_command("apt-get");
    succeed(
        download
            .arg("download")
            .args(PACKAGES)
            .current_dir(&packages),
    )?;
    for package in fs::read_dir(&packages)? {
        let mut unpack = project.clean_command("dpkg-deb");
        succeed(unpack.arg("-x").arg(package?.path()).arg(&unpacked))?;
    }
    let mut pages = Vec::new();
    find_pages(&unpacked, &mut pages)?;
    // In no order, so that the first ones are like all of them; the same every time.
    pages.sort_by_key(|page| Chance::of(&page.to_string_lossy()).next());
    let draft = directory.join("corpus.draft");
    let count = write(&pages, &draft)?;
    println!(
        "  {count} passages of {} pages in {}",
        pages.len(),
        file.display()
    );
    fs::remove_dir_all(&unpacked)?;
    fs::rename(draft, &file)?;
    Ok(file)
}

fn succeed(command: &mut std::process::Command) -> Result<()> {
    let status = command.status()?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

fn find_pages(directory: &Path, pages: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find_pages(&entry.path(), pages)?;
        } else if entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "html")
        {
            pages.push(entry.path());
        }
    }
    Ok(())
}

fn write(pages: &[PathBuf], file: &Path) -> Result<usize> {
    let mut out = BufWriter::new(File::create(file)?);
    let mut count = 0;
    for page in pages {
        let html = String::from_utf8_lossy(&fs::read(page)?).into_owned();
        let text = plain(&html);
        let title = text
            .split_whitespace()
            .take(8)
            .collect::<Vec<_>>()
            .join(" ");
        for passage in cut(&text) {
            let line = json!({"_id": count.to_string(), "title": title, "text": passage});
            writeln!(out, "{line}")?;
            count += 1;
            if count == MOST {
                return Ok(count);
            }
        }
    }
    out.flush()?;
    Ok(count)
}

/// What is between the tags, without programs and styles. Good enough to be measured with.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 4);
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let hidden = ["script", "style", "nav"]
            .into_iter()
            .find(|name| tag.starts_with(name));
        rest = match hidden {
            Some(name) => tag
                .split_once(&format!("</{name}"))
                .map_or("", |(_, rest)| rest),
            None => tag,
        };
        rest = rest.split_once('>').map_or("", |(_, rest)| rest);
        text.push(' ');
    }
    text.push_str(rest);
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#39;", "'")
        .replace("&quot;", "\"");
    let text = text.replace("&nbsp;", " ").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str) -> Vec<&str> {
    let mut passages = Vec::new();
    let mut rest = text;
    while rest.len() > USUAL {
        let end = rest.floor_char_boundary(USUAL);
        let end = rest[..end].rfind(' ').unwrap_or(end).max(1);
        let (passage, after) = rest.split_at(rest.floor_char_boundary(end));
        passages.push(passage);
        rest = after.trim_start();
    }
    if rest.len() >= SHORTEST || passages.is_empty() {
        passages.push(rest);
    }
    passages.retain(|passage| passage.len() >= SHORTEST);
    passages
}

/// Title and text of the first so many passages.
pub fn read(file: &Path, count: usize) -> Result<Vec<(String, String)>> {
    let lines = BufReader::new(File::open(file)?).lines().take(count);
    let field = |value: &serde_json::Value, name: &str| -> Result<String> {
        Ok(value[name]
            .as_str()
            .context("a passage without text")?
            .to_owned())
    };
    lines
        .map(|line| {
            let value = serde_json::from_str(&line?)?;
            Ok((field(&value, "title")?, field(&value, "text")?))
        })
        .collect()
}

/// What people might look for in these passages: in turns a few words and a whole question, 2 to 16 words in a row.
pub fn searches(passages: &[(String, String)], count: usize) -> Vec<String> {
    let mut chance = Chance::of("searches");
    let mut searches = Vec::new();
    while searches.len() < count {
        let Some((_, text)) = passages.get(chance.below(passages.len())) else {
            break;
        };
        let is_word = |word: &&str| word.len() > 1 && word.chars().all(char::is_alphabetic);
        let words: Vec<&str> = text.split_whitespace().filter(is_word).collect();
        let size = match searches.len() % 2 {
            0 => 2 + chance.below(3),
            _ => 8 + chance.below(9),
        };
        if words.len() > size {
            let first = chance.below(words.len() - size);
            searches.push(words[first..first + size].join(" "));
        }
    }
    searches
}

/// Numbers that are the same in every run.
struct Chance(u64);

impl Chance {
    fn of(seed: &str) -> Self {
        let add = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, add))
    }

    /// `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}
