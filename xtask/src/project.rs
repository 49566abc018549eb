//! Paths of the project.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The checkout and its build folders.
#[derive(Debug)]
pub(crate) struct Project {
    root: PathBuf,
    debug: PathBuf,
}

impl Project {
    /// Finds the checkout through the environment that cargo sets, and the build folder through the path of
    /// this program, which is also correct with `CARGO_TARGET_DIR` and a configured target.
    ///
    /// # Errors
    /// When this program was copied out of the project.
    pub(crate) fn locate() -> Result<Self, Failure> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let executable = std::env::current_exe().ok();
        let (Some(root), Some(debug)) = (manifest.parent(), executable.as_deref().and_then(Path::parent))
        else {
            return Err(Failure::missing(
                "cannot find the project; start this program as `cargo xtask`",
            ));
        };
        Ok(Self {
            root: root.to_path_buf(),
            debug: debug.to_path_buf(),
        })
    }

    /// A path inside the checkout.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Downloaded tools and caches; removed by `cargo clean`, never in the user's home.
    pub(crate) fn tools(&self) -> PathBuf {
        self.path("target/tools")
    }

    /// The build folder.
    pub(crate) fn target(&self) -> &Path {
        self.debug.parent().unwrap_or(&self.debug)
    }

    /// The gateway of the development profile, as the tests build it.
    pub(crate) fn test_gateway(&self) -> PathBuf {
        self.debug.join(executable_name("presence-gateway"))
    }

    /// Whether the tests were built before, so that a build takes only what changed.
    pub(crate) fn is_compiled(&self) -> bool {
        self.test_gateway().exists()
    }

    /// The gateway of the release profile.
    pub(crate) fn release_gateway(&self) -> PathBuf {
        self.release("presence-gateway")
    }

    /// The load generator of the release profile.
    pub(crate) fn release_load(&self) -> PathBuf {
        self.release("presence-load")
    }

    fn release(&self, name: &str) -> PathBuf {
        self.debug.with_file_name("release").join(executable_name(name))
    }
}

fn executable_name(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}
