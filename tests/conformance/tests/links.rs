//! Every link of the documents leads to a file or heading that is there, and the site's table of contents has every
//! page.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are fetched or built.
const SKIPPED: &[&str] = &["target", "node_modules", "dist", "pkg"];

#[test]
fn every_link_has_a_target() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in pages() {
        // The table of contents is written for the place where the site is made.
        let folder = if page.ends_with("docs/site/SUMMARY.md") {
            root()
        } else {
            page.parent().unwrap().to_owned()
        };
        for target in targets(&fs::read_to_string(&page).unwrap()) {
            if target.contains("://") {
                continue;
            }
            seen += 1;
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() {
                page.clone()
            } else {
                folder.join(file)
            };
            let is_there = if heading.is_empty() {
                file.exists()
            } else {
                headings(&fs::read_to_string(&file).unwrap_or_default()).contains(heading)
            };
            if !is_there {
                wrong.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn the_site_has_every_page() {
    let contents: BTreeSet<String> =
        targets(&fs::read_to_string(root().join("docs/site/SUMMARY.md")).unwrap()).collect();
    for page in fs::read_dir(root().join("docs")).unwrap() {
        let name = page.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            assert!(
                contents.contains(&format!("docs/{name}")),
                "docs/site/SUMMARY.md lacks {name}"
            );
        }
    }
}

/// The targets of a page's links. Links in code are ignored.
fn targets(page: &str) -> impl Iterator<Item = String> {
    let mut is_code = false;
    let prose: Vec<&str> = page
        .lines()
        .filter(|line| {
            let is_fence = line.starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        })
        .collect();
    let prose = prose.join("\n");
    let links: Vec<String> = prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target.to_owned()))
        .collect();
    links.into_iter()
}

/// The anchors of the headings, as GitHub and the site's generator make them.
fn headings(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter_map(|line| {
            line.strip_prefix('#')
                .map(|rest| rest.trim_start_matches('#').trim())
        })
        .map(|heading| {
            let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
            heading
                .to_lowercase()
                .chars()
                .filter(kept)
                .collect::<String>()
                .replace(' ', "-")
        })
        .collect()
}

fn pages() -> Vec<PathBuf> {
    fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !SKIPPED.contains(&&*name) {
                    collect(&path, pages);
                }
            } else if name.ends_with(".md") {
                pages.push(path);
            }
        }
    }
    let mut pages = Vec::new();
    collect(&root(), &mut pages);
    pages
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
