//! Pages (`jit-dis --html`): of every target that the case files make, the elements and attributes are those that the
//! renderer writes, names are unique and links lead somewhere, and nothing is asked for from anywhere. One page can be read
//! as a whole in `tests/pages`; `BLESS=1 cargo test --test page` rewrites it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

mod synthetic;

use cpyjit::command::{self, Action, TextStyle};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use synthetic::case::{Case, all};

/// Every element that a page may have, with its attributes besides `id`, `class`, `hidden` and `data-…`.
const ELEMENTS: &[(&str, &[&str])] = &[
    ("html", &["lang"]),
    ("head", &[]),
    ("meta", &["charset", "http-equiv", "content", "name"]),
    ("title", &[]),
    ("style", &[]),
    ("noscript", &[]),
    ("body", &[]),
    ("script", &[]),
    ("main", &[]),
    ("header", &[]),
    ("footer", &[]),
    ("nav", &["aria-label"]),
    ("section", &["tabindex", "aria-labelledby"]),
    ("article", &["aria-labelledby"]),
    ("dialog", &["aria-labelledby"]),
    ("details", &[]),
    ("summary", &[]),
    ("form", &["role"]),
    (
        "input",
        &[
            "type",
            "aria-label",
            "placeholder",
            "autocomplete",
            "spellcheck",
        ],
    ),
    ("output", &["aria-live"]),
    ("button", &["type", "title", "aria-label", "popovertarget"]),
    ("div", &["popover"]),
    ("p", &["aria-live"]),
    ("span", &["title"]),
    ("small", &["title"]),
    ("a", &["href", "title"]),
    ("h1", &[]),
    ("h2", &[]),
    ("h3", &[]),
    ("h4", &[]),
    ("table", &[]),
    ("thead", &[]),
    ("tbody", &[]),
    ("tr", &[]),
    ("th", &["scope"]),
    ("td", &["title"]),
    ("ul", &[]),
    ("li", &[]),
    ("dl", &[]),
    ("dt", &[]),
    ("dd", &[]),
    ("i", &[]),
    ("b", &[]),
    ("em", &[]),
    ("br", &[]),
    ("code", &[]),
    ("kbd", &[]),
];

/// A tag: its name and its attributes.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The page of all executors of a case; `None` if the command fails there.
fn page(case: &Case) -> Option<String> {
    let made = case.make();
    let arguments = "--all --html -o page.html";
    let reply = command::run(
        Ok(&made.session),
        "jit-dis",
        arguments,
        TextStyle::default(),
    );
    reply.actions.into_iter().find_map(|action| match action {
        Action::WriteFile { content, .. } => Some(content),
        #[allow(unreachable_patterns)]
        _ => None,
    })
}

/// The opening tags, the way a browser finds them: the content of `style` and `script` is none.
fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with(['/', '!']) {
            continue;
        }
        let (tag, behind) = tag(rest);
        rest = behind;
        if ["style", "script"].contains(&tag.name.as_str()) {
            let end = rest.find(&format!("</{}", tag.name)).unwrap();
            rest = &rest[end..];
        }
        tags.push(tag);
    }
    tags
}

fn tag(text: &str) -> (Tag, &str) {
    let end = text.find([' ', '>']).unwrap();
    let mut tag = Tag {
        name: text[..end].to_owned(),
        attributes: Vec::new(),
    };
    let mut rest = text[end..].trim_start();
    while !rest.starts_with('>') {
        let end = rest.find(['=', ' ', '>']).unwrap();
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').unwrap();
            value = quoted[..end].to_owned();
            rest = &quoted[end + 1..];
        } else if let Some(plain) = rest.strip_prefix('=') {
            let end = plain.find([' ', '>']).unwrap();
            value = plain[..end].to_owned();
            rest = &plain[end..];
        }
        tag.attributes.push((name, value));
        rest = rest.trim_start();
    }
    (tag, &rest[1..])
}

fn check_elements(tags: &[Tag], name: &str) {
    for tag in tags {
        let known = ELEMENTS.iter().find(|(known, _)| *known == tag.name);
        let (_, allowed) = known.unwrap_or_else(|| panic!("{name}: <{}>", tag.name));
        for (key, value) in &tag.attributes {
            let everywhere = ["id", "class", "hidden"].contains(&key.as_str());
            assert!(
                everywhere || key.starts_with("data-") || allowed.contains(&key.as_str()),
                "{name}: <{} {key}={value}>",
                tag.name
            );
        }
    }
}

fn check_links(tags: &[Tag], name: &str) {
    let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
    let unique: HashSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "{name}: a name is used twice");
    for tag in tags {
        if let Some(href) = tag.attribute("href") {
            let target = href.strip_prefix('#').expect("a link within the page");
            assert!(unique.contains(target), "{name}: {href} leads nowhere");
        }
        if let Some(label) = tag.attribute("aria-labelledby") {
            assert!(unique.contains(label), "{name}: no label {label}");
        }
    }
}

#[test]
fn pages_of_all_cases_are_sound() {
    let mut pages = 0;
    for case in all() {
        let name = case.name();
        let Some(page) = page(&case) else {
            continue;
        };
        pages += 1;
        let tags = tags(&page);
        check_elements(&tags, &name);
        check_links(&tags, &name);
        assert!(!page.contains("://"), "{name}: an address of the network");
    }
    assert!(pages > 30, "only {pages} pages");
}

/// What is between the bar and the help, which are the same on every page.
fn content(page: &str) -> &str {
    let start = page.find("<div popover").or_else(|| page.find("<main>"));
    let end = page.find("<dialog").unwrap();
    &page[start.unwrap()..end]
}

#[test]
fn a_page_is_as_it_was_read() {
    let case = all().into_iter().find(|case| case.name() == "markup.case");
    let page = page(&case.unwrap()).unwrap();
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages/markup.html");
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content(&page)).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(
        content(&page) == expected,
        "the page of markup.case is not tests/pages/markup.html: `BLESS=1 cargo test --test page`, and read the difference"
    );
}

#[test]
fn a_file_that_ends_in_html_is_a_page() {
    let cases = all();
    let case = cases.iter().find(|case| case.name() == "markup.case");
    let made = case.unwrap().make();
    for (arguments, is_page) in [
        ("#0 -o x.HTML", true),
        ("#0 -o x.txt --html", true),
        ("#0 -o x.txt", false),
        ("#0 -o x.html --json", false),
    ] {
        let reply = command::run(
            Ok(&made.session),
            "jit-dis",
            arguments,
            TextStyle::default(),
        );
        let [Action::WriteFile { content, .. }] = reply.actions.as_slice() else {
            panic!("{arguments}: {}", reply.text);
        };
        assert_eq!(
            content.starts_with("<!doctype html>"),
            is_page,
            "{arguments}"
        );
    }
}
