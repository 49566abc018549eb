//! `cargo xtask deb`.

use std::path::Path;
use std::{fs, io};

use super::build::distributed;
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tools::crates::CARGO_DEB;

/// The generated files of the package. `[package.metadata.deb]` of the gateway lists them, beside files of the tree.
const STAGE: &str = "target/deb";
/// The program, as the package installs it.
const INSTALLED: &str = "/usr/bin/presence-gateway";
/// The units in `native/ops`, and where they are staged.
const UNITS: [(&str, &str); 3] = [
    ("presence-gateway.service", "units/presence-gateway.service"),
    ("presence-gateway.socket", "units/presence-gateway.socket"),
    ("presence-gateway.user.service", "user/presence-gateway.service"),
];
/// The shells with completions, and their files.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "completions/presence-gateway"),
    ("zsh", "completions/_presence-gateway"),
    ("fish", "completions/presence-gateway.fish"),
];

/// Builds a Debian package of the static program.
///
/// # Errors
/// When a build fails, or the program cannot be static.
pub(crate) fn deb(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if let Some(unknown) = arguments.first() {
        return Err(Failure::usage(format!("deb takes no `{unknown}`")));
    }
    CARGO_DEB.ensure(project)?;
    let program = distributed(project)?;
    let target = program.parent().and_then(Path::parent).and_then(Path::file_name);
    if !target.is_some_and(|target| is_static(&target.to_string_lossy())) {
        return Err(Failure::missing(
            "the package needs a static program: install what the build above names".to_owned(),
        ));
    }
    let stage = project.path(STAGE);
    lay_out(project, &program, &stage)?;
    CARGO_DEB
        .program(project)
        .with(["--no-build", "--no-strip", "--package", "presence-gateway"])
        .with(["--output", &stage.to_string_lossy()])
        .run()
}

/// Whether programs for this target are static. The names of ARM targets continue after `musl`.
fn is_static(target: &str) -> bool {
    target.contains("-linux-musl")
}

/// Stages the program and the files that it generates.
fn lay_out(project: &Project, program: &Path, stage: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::missing(format!("cannot stage the package in {STAGE}: {error}"));
    if stage.exists() {
        fs::remove_dir_all(stage).map_err(failed)?;
    }
    stage_units(&project.path("native/ops"), stage).map_err(failed)?;
    fs::copy(program, stage.join("presence-gateway")).map_err(failed)?;
    let run = |arguments: &[&str]| Program::new(project, program).with(arguments).any_output();
    run(&["man", &stage.join("man").to_string_lossy()])?;
    fs::create_dir_all(stage.join("completions")).map_err(failed)?;
    for (shell, file) in COMPLETIONS {
        fs::write(stage.join(file), run(&["completions", shell])?).map_err(failed)?;
    }
    Ok(())
}

fn stage_units(ops: &Path, stage: &Path) -> io::Result<()> {
    for (unit, staged) in UNITS {
        let staged = stage.join(staged);
        if let Some(folder) = staged.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(staged, packaged(&fs::read_to_string(ops.join(unit))?))?;
    }
    Ok(())
}

/// Returns a unit that starts the package's program. The text before the first section is about installing by hand.
fn packaged(unit: &str) -> String {
    let lines = unit.lines().skip_while(|line| !line.starts_with('['));
    let arguments = |command: &str| {
        command
            .split_once(' ')
            .map_or("", |(_, arguments)| arguments)
            .to_owned()
    };
    lines
        .map(|line| match line.strip_prefix("ExecStart=") {
            Some(command) => format!("ExecStart={INSTALLED} {}\n", arguments(command)),
            None => format!("{line}\n"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use serde_json::Value;

    use super::*;

    fn native() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../native")
    }

    /// `[package.metadata.deb]` of the gateway.
    fn metadata() -> Value {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .current_dir(native())
            .output()
            .expect("cargo runs");
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let packages = metadata["packages"].as_array().expect("packages");
        let own = packages
            .iter()
            .find(|package| package["name"] == "presence-gateway")
            .expect("the gateway");
        own["metadata"]["deb"].clone()
    }

    #[test]
    fn programs_for_musl_are_static() {
        for target in ["x86_64-unknown-linux-musl", "armv7-unknown-linux-musleabihf"] {
            assert!(is_static(target), "{target}");
        }
        for target in ["x86_64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf"] {
            assert!(!is_static(target), "{target}");
        }
    }

    #[test]
    fn each_file_of_the_package_is_in_the_tree_or_generated() {
        let metadata = metadata();
        let generated: Vec<&str> = ["presence-gateway", "man/*.1"]
            .into_iter()
            .chain(COMPLETIONS.map(|(_, file)| file))
            .chain(UNITS.map(|(_, file)| file))
            .collect();
        let assets = metadata["assets"].as_array().expect("assets");
        let targets: Vec<String> = assets
            .iter()
            .map(|asset| {
                let source = asset[0].as_str().expect("a source");
                let is_there = match source.strip_prefix("../target/deb/") {
                    Some(file) => generated.contains(&file),
                    None => native().join(source).is_file(),
                };
                assert!(is_there, "{source}");
                format!("/{}", asset[1].as_str().expect("a target"))
            })
            .collect();
        for file in metadata["conf-files"].as_array().expect("conf-files") {
            assert!(
                targets.iter().any(|target| file == target),
                "{file} of {targets:?}"
            );
        }
        assert!(targets.iter().any(|target| target == INSTALLED), "{targets:?}");
        // Without a folder for scripts, none are generated that stop and restart the services.
        for folder in [
            &metadata["systemd-units"]["unit-scripts"],
            &metadata["maintainer-scripts"],
        ] {
            assert_eq!(folder, "../target/deb/units");
        }
    }

    #[test]
    fn the_units_start_the_program_of_the_package_with_its_settings() {
        let stage = tempfile::tempdir().expect("a folder");
        stage_units(&native().join("ops"), stage.path()).expect("the units are there");
        let read = |file: &str| fs::read_to_string(stage.path().join(file)).expect("a staged unit");
        for (_, file) in UNITS {
            let unit = read(file);
            assert!(
                unit.starts_with("[Unit]\n") && unit.contains("\n[Install]\n"),
                "{unit}"
            );
            assert!(!unit.contains("/usr/local") && !unit.contains(".cargo"), "{unit}");
            let starts = usize::from(file.ends_with(".service"));
            assert_eq!(
                unit.matches(&format!("\nExecStart={INSTALLED} serve\n")).count(),
                starts
            );
            assert_eq!(unit.matches("ExecStart").count(), starts);
        }
        let settings = metadata()["conf-files"][0].as_str().expect("a file").to_owned();
        assert!(read(UNITS[0].1).contains(&format!("\nEnvironmentFile={settings}\n")));
    }

    #[test]
    fn the_example_settings_are_options_of_the_gateway() {
        let read = |file: &str| fs::read_to_string(native().join(file)).expect("a file of the gateway");
        let options: String = [
            "src/cli/options.rs",
            "src/cli/options/cluster.rs",
            "src/cli/options/history.rs",
            "src/cli/options/observe.rs",
            "src/cli/options/serve.rs",
            "src/cli/options/webhook.rs",
        ]
        .map(read)
        .concat();
        let settings = read("ops/presence-gateway.env");
        let names: Vec<&str> = settings
            .lines()
            .filter_map(|line| line.strip_prefix('#')?.split_once('='))
            .map(|(name, _)| name)
            .collect();
        assert!(names.contains(&"OPENCLAW_GATEWAY_TOKEN"), "{names:?}");
        for name in names {
            assert!(options.contains(&format!("\"{name}\"")), "{name}");
        }
        // Everything is a comment: the package changes no default.
        assert!(
            settings
                .lines()
                .all(|line| line.is_empty() || line.starts_with('#'))
        );
    }
}
