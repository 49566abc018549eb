//! The browsers of the browser tests.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::project::Project;
use crate::tools::apt;

/// A browser that tests need.
#[derive(Debug)]
pub(crate) struct Browser {
    name: &'static str,
    /// The environment variable for the path of another one.
    variable: &'static str,
    /// Debian's package.
    package: &'static str,
    /// Its usual paths.
    places: &'static [&'static str],
}

pub(crate) static CHROMIUM: Browser = Browser {
    name: "Chromium",
    variable: "CHROMIUM",
    package: "chromium",
    places: &[
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
        "/snap/bin/chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
};

pub(crate) static FIREFOX: Browser = Browser {
    name: "Firefox",
    variable: "FIREFOX",
    package: "firefox-esr",
    places: &[
        "/usr/bin/firefox-esr",
        "/usr/bin/firefox",
        "/snap/bin/firefox",
        "/Applications/Firefox.app/Contents/MacOS/firefox",
    ],
};

impl Browser {
    /// Finds it, or installs Debian's package where no password is needed for that.
    ///
    /// # Errors
    /// If it is missing and cannot be installed.
    pub(crate) fn ensure(&self, project: &Project) -> Result<PathBuf, Failure> {
        let Self {
            name,
            variable,
            package,
            ..
        } = self;
        if let Some(path) = self.find() {
            return Ok(path);
        }
        apt::install(project, name, &[package])?;
        self.find().ok_or_else(|| {
            Failure::missing(format!(
                "the browser tests need {name}: install it (Debian: `apt-get install {package}`), or name one by \
                 {variable}=/path/to/it"
            ))
        })
    }

    /// Returns the one that the environment names, else the first that exists.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let named = std::env::var_os(self.variable).map(PathBuf::from);
        named
            .into_iter()
            .chain(self.places.iter().map(PathBuf::from))
            .find(|path| path.exists())
    }
}
