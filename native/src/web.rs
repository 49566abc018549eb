//! The files of the gateway's page. They are read into memory at the start, so that a request reaches no other file
//! and no file is served half-written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ::http::header::HeaderValue;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

/// Most files of a page.
pub(crate) const MAX_FILES: usize = 1_000;
/// Most MiB of all files of a page together.
pub(crate) const MAX_MIB: u64 = 32;

/// The file a folder is shown by.
const INDEX: &str = "index.html";

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebRootError {
    /// It or something in it cannot be read.
    #[error("cannot read {0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// There is no file for `/`.
    #[error("{0} has no index.html")]
    NoIndex(PathBuf),
    /// It has too many files or bytes to keep in memory.
    #[error("{0} holds more than {MAX_FILES} files or {MAX_MIB} MiB")]
    TooLarge(PathBuf),
}

/// The files of a page by URL path.
#[derive(Clone, Debug, Default)]
pub struct WebRoot {
    files: BTreeMap<Box<str>, WebFile>,
}

/// One file, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct WebFile {
    pub(crate) content_type: &'static str,
    pub(crate) etag: HeaderValue,
    /// Its name changes with its content.
    pub(crate) is_immutable: bool,
    pub(crate) body: Bytes,
}

impl WebRoot {
    /// Reads all files below `folder` except links and names that start with a dot.
    ///
    /// # Errors
    /// [`WebRootError`]: it cannot be read, is too large, or has no `index.html`.
    pub fn read(folder: &Path) -> Result<Self, WebRootError> {
        let mut reader = Reader {
            folder,
            root: Self::default(),
            bytes: 0,
        };
        reader.read_folder(folder, "/")?;
        let root = reader.root;
        if root.file("/").is_none() {
            return Err(WebRootError::NoIndex(folder.to_owned()));
        }
        Ok(root)
    }

    /// The page that is part of the program, without its source maps. Its bytes are not copied.
    #[cfg(feature = "page")]
    #[must_use]
    pub fn embedded() -> Self {
        static PAGE: include_dir::Dir<'_> = include_dir::include_dir!("$PRESENCE_PAGE");
        let mut root = Self::default();
        root.embed(&PAGE);
        root
    }

    #[cfg(feature = "page")]
    fn embed(&mut self, folder: &'static include_dir::Dir<'static>) {
        for file in folder.files() {
            let path = file.path().to_string_lossy();
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if !name.ends_with(".map") {
                let folder = if folder.is_empty() {
                    "/".to_owned()
                } else {
                    format!("/{folder}/")
                };
                self.insert(&folder, name, Bytes::from_static(file.contents()));
            }
        }
        for folder in folder.dirs() {
            self.embed(folder);
        }
    }

    /// `folder` is the path of its URL, with a slash behind.
    fn insert(&mut self, folder: &str, name: &str, body: Bytes) {
        self.files
            .insert(format!("{folder}{name}").into(), WebFile::new(name, body));
    }

    /// Returns the file at the path of a URL, as [`decoded`] returns it.
    pub(crate) fn file(&self, path: &str) -> Option<&WebFile> {
        if path.ends_with('/') {
            return self.files.get(&*format!("{path}{INDEX}"));
        }
        self.files.get(path)
    }
}

struct Reader<'a> {
    folder: &'a Path,
    root: WebRoot,
    bytes: u64,
}

impl Reader<'_> {
    /// `path` is that of the folder's URL, with a slash behind.
    fn read_folder(&mut self, folder: &Path, path: &str) -> Result<(), WebRootError> {
        let failed = |error| WebRootError::Io(folder.to_owned(), error);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
                continue;
            };
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}{name}/"))?;
            } else if kind.is_file() {
                self.read_file(&entry.path(), path, name)?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, file: &Path, path: &str, name: &str) -> Result<(), WebRootError> {
        let failed = |error| WebRootError::Io(file.to_owned(), error);
        self.bytes += fs::metadata(file).map_err(failed)?.len();
        if self.bytes > MAX_MIB * 1024 * 1024 || self.root.files.len() >= MAX_FILES {
            return Err(WebRootError::TooLarge(self.folder.to_owned()));
        }
        self.root
            .insert(path, name, fs::read(file).map_err(failed)?.into());
        Ok(())
    }
}

impl WebFile {
    fn new(name: &str, body: Bytes) -> Self {
        let digest = Sha256::digest(&body);
        let tag: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let content_type = content_type(name);
        Self {
            content_type,
            etag: HeaderValue::from_str(&format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\"")),
            // Links to a page keep its name when its content changes.
            is_immutable: is_hashed(name) && !content_type.starts_with("text/html"),
            body,
        }
    }

    /// Whether the client has the file already, by its `If-None-Match`.
    pub(crate) fn is_known(&self, if_none_match: Option<&str>) -> bool {
        self.etag
            .to_str()
            .is_ok_and(|etag| is_known_tag(etag, if_none_match))
    }
}

/// Whether an If-None-Match names this entity tag, by RFC 9110 13.1.2: weak tags match strong ones.
pub(crate) fn is_known_tag(etag: &str, if_none_match: Option<&str>) -> bool {
    fn strong(tag: &str) -> &str {
        tag.strip_prefix("W/").unwrap_or(tag)
    }
    if_none_match.is_some_and(|known| {
        let mut tags = known.split(',').map(str::trim);
        tags.any(|tag| tag == "*" || strong(tag) == strong(etag))
    })
}

/// Decodes a path; `None` if no file can have it. Names are decoded once and one by one: an encoded slash does not
/// separate folders, and no name leads out of its folder.
pub(crate) fn decoded(path: &str) -> Option<Cow<'_, str>> {
    let is_name = |name: &str| {
        !matches!(name, "." | "..") && !name.contains(|c: char| c.is_control() || matches!(c, '/' | '\\'))
    };
    let names: Option<Vec<Cow<'_, str>>> = path
        .split('/')
        .map(|name| {
            let name = percent_decode_str(name).decode_utf8().ok()?;
            is_name(&name).then_some(name)
        })
        .collect();
    match names?.as_slice() {
        names if names.iter().all(|name| matches!(name, Cow::Borrowed(_))) => Some(path.into()),
        names => Some(names.join("/").into()),
    }
}

/// Whether a name holds a hash of the content, as bundlers write it: `main-4XQ7AB2C.js`. Digits alone may be a date.
fn is_hashed(name: &str) -> bool {
    const HASH_LEN: usize = 8;
    name.split('.')
        .next()
        .and_then(|stem| stem.rsplit_once('-'))
        .is_some_and(|(_, hash)| {
            hash.len() == HASH_LEN
                && hash.bytes().any(|byte| byte.is_ascii_uppercase())
                && hash
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
}

fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match &*extension.to_ascii_lowercase() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json; charset=utf-8",
        "txt" | "ts" | "md" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn only_files_read_at_the_start_are_served() {
        let folder = folder(&[
            ("page/index.html", "home"),
            ("page/sub/index.html", "below"),
            ("page/1/2/3/4/5/6/7/8/9/index.html", "deep"),
            ("page/.hidden", "no"),
            ("secret", "no"),
        ]);
        let root = WebRoot::read(&folder.path().join("page")).unwrap();
        for (path, text) in [
            ("/", "home"),
            ("/index.html", "home"),
            ("/sub/", "below"),
            ("/sub/index.html", "below"),
            ("/1/2/3/4/5/6/7/8/9/", "deep"),
        ] {
            assert_eq!(root.file(path).unwrap().body, text, "{path}");
        }
        for path in [
            "",
            "/sub",
            "/.hidden",
            "/../secret",
            "/sub/../index.html",
            "//",
            "/%2e%2e/secret",
            "/..\\secret",
        ] {
            assert!(root.file(path).is_none(), "{path}");
        }
    }

    #[test]
    fn paths_are_decoded_once_and_stay_in_the_folder() {
        for (path, wanted) in [
            ("/", "/"),
            ("/plain.txt", "/plain.txt"),
            ("/a%20b/%C3%BC.txt", "/a b/\u{fc}.txt"),
            ("/%61", "/a"),
            ("/100%25.txt", "/100%.txt"),
            ("/100%.txt", "/100%.txt"),
            ("/%252e%252e/x", "/%2e%2e/x"),
            ("/a+b", "/a+b"),
        ] {
            assert_eq!(decoded(path).as_deref(), Some(wanted), "{path}");
        }
        for path in [
            "/..",
            "/%2e%2e/secret",
            "/.%2E/secret",
            "/%2e/index.html",
            "/sub%2findex.html",
            "/..%2fsecret",
            "/..%5csecret",
            "/..\\secret",
            "/index.html%00",
            "/%0d%0aindex.html",
            "/%ff",
        ] {
            assert_eq!(decoded(path), None, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_left_out() {
        let folder = folder(&[("page/index.html", "home"), ("secret", "no")]);
        let page = folder.path().join("page");
        std::os::unix::fs::symlink(folder.path().join("secret"), page.join("link")).unwrap();
        std::os::unix::fs::symlink(folder.path(), page.join("up")).unwrap();
        let root = WebRoot::read(&page).unwrap();
        assert_eq!(root.files.len(), 1, "{:?}", root.files.keys());
    }

    #[test]
    fn what_is_no_page_is_refused() {
        let empty = folder(&[("main.js", "")]);
        assert!(matches!(
            WebRoot::read(empty.path()),
            Err(WebRootError::NoIndex(_))
        ));
        assert!(matches!(
            WebRoot::read(&empty.path().join("nowhere")),
            Err(WebRootError::Io(..))
        ));
        let most: Vec<String> = (1..MAX_FILES).map(|n| format!("{n}/index.html")).collect();
        let most = most.iter().map(|name| (name.as_str(), ""));
        let most = folder(&most.chain([("index.html", "")]).collect::<Vec<_>>());
        WebRoot::read(most.path()).unwrap();
        fs::write(most.path().join("one-more.txt"), "").unwrap();
        assert!(matches!(
            WebRoot::read(most.path()),
            Err(WebRootError::TooLarge(_))
        ));
        let large = folder(&[("index.html", ""), ("video", "")]);
        let video = fs::File::options()
            .write(true)
            .open(large.path().join("video"))
            .unwrap();
        video.set_len(MAX_MIB * 1024 * 1024 + 1).unwrap();
        assert!(matches!(
            WebRoot::read(large.path()),
            Err(WebRootError::TooLarge(_))
        ));
    }

    #[test]
    fn names_with_a_hash_never_change() {
        let is_hashed = |name: &str| WebFile::new(name, Bytes::new()).is_immutable;
        for name in ["main-4XQ7AB2C.js", "chunk-ABCDEFGH.css.map", "a-b-1234567A.svg"] {
            assert!(is_hashed(name), "{name}");
        }
        for name in [
            "index.html",
            "page-4XQ7AB2C.html",
            "report-20261130.pdf",
            "main-short.js",
            "web-demo-abcdefgh.js",
            "4XQ7AB2C.js",
            "-.js",
        ] {
            assert!(!is_hashed(name), "{name}");
        }
    }

    #[test]
    fn types_follow_from_extensions_in_any_case() {
        for (name, kind) in [
            ("LOGO.PNG", "image/png"),
            ("Index.Html", "text/html; charset=utf-8"),
            ("png", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), kind, "{name}");
        }
    }

    #[test]
    fn tags_are_compared_as_browsers_and_proxies_send_them() {
        let file = WebFile::new("a.js", Bytes::from_static(b"x"));
        let tag = file.etag.to_str().unwrap().to_owned();
        let known = |text: &str| file.is_known(Some(text));
        assert!(known(&tag) && known(&format!("W/{tag}")) && known(&format!("\"a\", {tag}")) && known("*"));
        assert!(!known("\"other\"") && !known("") && !file.is_known(None));
        assert_ne!(tag, WebFile::new("a.js", Bytes::from_static(b"y")).etag);
    }
}
