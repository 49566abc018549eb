//! Prometheus and its `promtool`, for the tests of metrics, dashboard and alert rules. Users run their own.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// The folder of Debian's package; `native/tests/ops.rs` looks there.
const FOLDER: &str = "prometheus";

/// Unpacks Debian's package into `target/tools`, unless there is a `promtool`. It is not installed, so that no service
/// starts.
///
/// # Errors
/// When there is no such package: on other systems, and without a network.
pub(crate) fn ensure(project: &Project) -> Result<(), Failure> {
    let folder = project.tools().join(FOLDER);
    if folder.join("usr/bin/promtool").exists() || Path::new("/usr/bin/promtool").exists() {
        return Ok(());
    }
    println!("      there is no promtool: unpacking Debian's package into target/tools (20 MB)");
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::missing(format!("cannot make {}: {error}", folder.display())))?;
    let download = || {
        Program::new(project, "apt-get")
            .with(["download", "--quiet", "prometheus"])
            .folder(&folder)
            .run()
    };
    if download().is_err() {
        // Fresh images have no lists of packages.
        Program::new(project, "apt-get")
            .with(["update", "--quiet"])
            .run()?;
        download()?;
    }
    let packages = fs::read_dir(&folder).into_iter().flatten().flatten();
    for package in packages
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
    {
        Program::new(project, "dpkg-deb")
            .with([
                "--extract".into(),
                package.to_string_lossy(),
                folder.to_string_lossy(),
            ])
            .run()?;
        let _ = fs::remove_file(&package);
    }
    Ok(())
}
