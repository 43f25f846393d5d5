//! Tests that every public type and function has an example that runs with the documentation tests.

use std::fs;
use std::path::{Path, PathBuf};

/// A public item, with the text of its example. The text is empty if the item has no example.
#[derive(Debug)]
struct Item {
    line: usize,
    is_function: bool,
    name: String,
    example: String,
}

/// `bindings.rs` is excluded. It is a private module with the interface for JavaScript.
const NOT_RUST_API: &str = "bindings.rs";

#[test]
fn every_public_item_has_an_example() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut seen, mut lacking) = (0, Vec::new());
    for file in rust_files(&source) {
        let items = public_items(&fs::read_to_string(&file).unwrap());
        let examples: String = items.iter().map(|item| item.example.as_str()).collect();
        for item in &items {
            // An example of a type may call several functions of this type. These functions need no examples of their
            // own.
            let is_shown = item.is_function && is_called(&item.name, &examples);
            if item.example.is_empty() && !is_shown {
                lacking.push(format!("{}:{} `{}`", file.display(), item.line, item.name));
            }
        }
        seen += items.len();
    }
    assert!(seen > 90, "only {seen} public items were found: does this test still read the sources?");
    assert!(
        lacking.is_empty(),
        "these public items have no example that runs. Add a ``` block with assertions to the item's doc comment; \
         a function may be called in the example of its type instead. An item that is not part of the API should be \
         `pub(crate)`.\n{}",
        lacking.join("\n")
    );
}

#[test]
fn an_item_without_an_example_is_found() {
    let source = "
/// With an example.
///
/// ```
/// assert_eq!(Good::new().shown(), 1);
/// ```
#[derive(Debug)]
pub struct Good;

impl Good {
    /// Called above.
    pub const fn new() -> Self {
    /// Called above.
    pub fn shown(&self) -> u64 {
    /// Not called: `show` is only the start of another name.
    pub fn show(&self) -> u64 {
}

/// ```text
/// A drawing.
/// ```
pub enum Drawn {}

/// ```no_run
/// never();
/// ```
pub fn never() {}

/// Private to the crate.
pub(crate) fn private() {}
";
    let items = public_items(source);
    let example = "assert_eq!(Good::new().shown(), 1);\n";
    let found: Vec<_> = items.iter().map(|item| (item.name.as_str(), item.example.as_str())).collect();
    let expected =
        [("Good", example), ("new", ""), ("shown", ""), ("show", ""), ("Drawn", ""), ("never", "")];
    assert_eq!(found, expected);
    let called: Vec<_> = items.iter().filter(|item| is_called(&item.name, example)).collect();
    assert_eq!(called.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), ["new", "shown"]);
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with(NOT_RUST_API)
        {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn public_items(source: &str) -> Vec<Item> {
    let (mut items, mut comment) = (Vec::new(), Vec::new());
    for (number, line) in source.lines().enumerate() {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("///") {
            comment.push(text.strip_prefix(' ').unwrap_or(text));
        } else if !line.starts_with("#[") {
            if let Some((is_function, name)) = public_name(line) {
                items.push(Item { line: number + 1, is_function, name, example: example(&comment) });
            }
            comment.clear();
        }
    }
    items
}

/// If this line declares a public item, returns the item's name and whether the item is a function.
fn public_name(line: &str) -> Option<(bool, String)> {
    let mut words = line
        .strip_prefix("pub ")?
        .split(' ')
        .skip_while(|word| matches!(*word, "const" | "unsafe" | "async"));
    let kind = words.next()?;
    if !matches!(kind, "fn" | "struct" | "enum" | "trait" | "type" | "union") {
        return None;
    }
    let name = words.next()?.split(|char: char| !is_in_name(char)).next()?;
    Some((kind == "fn", name.into()))
}

/// The lines of all code blocks that run.
fn example(comment: &[&str]) -> String {
    let (mut block, mut example) = (None, String::new());
    for line in comment {
        match (line.strip_prefix("```"), block) {
            (Some(language), None) => block = Some(matches!(language, "" | "rust")),
            (Some(_), Some(_)) => block = None,
            (None, Some(true)) => example.extend([line, "\n"]),
            (None, _) => {}
        }
    }
    example
}

fn is_called(function: &str, example: &str) -> bool {
    let call = format!("{function}(");
    example.match_indices(&call).any(|(at, _)| !example[..at].ends_with(is_in_name))
}

fn is_in_name(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}
