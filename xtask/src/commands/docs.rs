//! `cargo xtask docs`.

use std::fs;
use std::io;
use std::path::Path;

use crate::failure::Failure;
use crate::project::Project;
use crate::tools::crates::MDBOOK;

/// Where the site's table of contents and configuration are.
const SITE: &str = "docs/site";

/// Builds a site from the documents. They keep their paths, so that links between them stay valid.
///
/// # Errors
/// When the generator cannot be built, a page of the table of contents is missing, or a file cannot be written.
pub(crate) fn docs(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if let Some(unknown) = arguments.first() {
        return Err(Failure::usage(format!("docs takes no `{unknown}`")));
    }
    MDBOOK.ensure(project)?;
    let book = project.path("target/docs/book");
    lay_out(&project.path(""), &book)
        .map_err(|error| Failure::missing(format!("cannot lay out the pages: {error}")))?;
    MDBOOK.program(project).with(["build"]).folder(&book).run()?;
    println!("open {}", project.path("target/docs/site/index.html").display());
    Ok(())
}

/// Copies the configuration, the table of contents, the pages in it and the pictures in them.
fn lay_out(root: &Path, book: &Path) -> io::Result<()> {
    if book.exists() {
        fs::remove_dir_all(book)?;
    }
    let contents = fs::read_to_string(root.join(SITE).join("SUMMARY.md"))?;
    copy(&root.join(SITE).join("book.toml"), &book.join("book.toml"))?;
    copy(&root.join(SITE).join("SUMMARY.md"), &book.join("src/SUMMARY.md"))?;
    for page in targets(&contents) {
        let text = fs::read_to_string(root.join(page))?;
        copy(&root.join(page), &book.join("src").join(page))?;
        let folder = Path::new(page).parent().unwrap_or_else(|| Path::new(""));
        for picture in targets(&text).filter(|target| target.ends_with(".png")) {
            let picture = folder.join(picture);
            copy(&root.join(&picture), &book.join("src").join(&picture))?;
        }
    }
    Ok(())
}

/// Returns the targets of a page's links.
fn targets(page: &str) -> impl Iterator<Item = &str> {
    page.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)
        .map(drop)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", from.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_and_their_pictures_are_laid_out() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let book = tempfile::tempdir().expect("a folder");
        let book = book.path().join("book");
        lay_out(&root, &book).expect("every page is there");
        for file in ["book.toml", "src/docs/webchat.md", "src/web-demo/instances.png"] {
            assert!(book.join(file).exists(), "{file}");
        }
    }

    #[test]
    fn targets_of_links() {
        assert!(targets("see [a](b.md#c) and ![d](e.png), [f]").eq(["b.md#c", "e.png"]));
    }
}
