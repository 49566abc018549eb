//! `cargo xtask fuzz`.

use std::fs;
use std::path::Path;

use lexopt::{
    Arg::{Long, Value},
    Parser, ValueExt as _,
};

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tools::fuzz::{cargo_fuzz, ensure_fuzz_tools};

/// How long each target runs unless `--seconds` says so.
const SECONDS: u64 = 60;
/// Longest input, in bytes. A fuzzer finds little more with longer ones, and needs more time for each of them.
const MAX_INPUT_BYTES: u64 = 8_192;

/// The options of the command line.
#[derive(Debug, Eq, PartialEq)]
struct Options {
    targets: Vec<String>,
    seconds: u64,
}

/// Runs fuzz targets one after the other, on one core. Inputs that break a target are kept in its regression folder.
///
/// # Errors
/// When the command line is wrong, a tool is missing, or a target finds something.
pub(crate) fn fuzz(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let mut options = parse(arguments)?;
    let all = targets(project)?;
    if let Some(unknown) = options.targets.iter().find(|name| !all.contains(name)) {
        let all = all.join(", ");
        return Err(Failure::usage(format!(
            "there is no fuzz target `{unknown}`: {all}"
        )));
    }
    if options.targets.is_empty() {
        options.targets = all;
    }
    println!("[1/3] tools");
    ensure_fuzz_tools(project)?;
    println!("[2/3] seeds, from the vectors");
    let corpora = project.path("target/fuzz/corpus");
    Program::cargo(project)
        .with([
            "run",
            "--quiet",
            "--package",
            "presence-fuzz",
            "--example",
            "seeds",
            "--",
        ])
        .with([corpora.to_string_lossy()])
        .run()?;
    let count = options.targets.len();
    for (index, name) in options.targets.iter().enumerate() {
        println!("[3/3] {name} ({} of {count}, {} s)", index + 1, options.seconds);
        run(project, name, &corpora.join(name), options.seconds)?;
    }
    Ok(())
}

fn run(project: &Project, name: &str, corpus: &Path, seconds: u64) -> Result<(), Failure> {
    let found = project.path("tests/fuzz/regressions").join(name);
    fs::create_dir_all(&found)
        .map_err(|error| Failure::missing(format!("cannot create {}: {error}", found.display())))?;
    let outcome = cargo_fuzz(project)
        .with([
            "run",
            "--fuzz-dir",
            "tests/fuzz/targets",
            "--target-dir",
            "target/fuzz",
            name,
        ])
        .with([corpus.to_string_lossy()])
        .with(["--"])
        .with([
            format!("-max_total_time={seconds}"),
            format!("-max_len={MAX_INPUT_BYTES}"),
            format!("-artifact_prefix={}/", found.display()),
            "-timeout=10".to_owned(),
            "-rss_limit_mb=1024".to_owned(),
            "-print_final_stats=1".to_owned(),
            // The threads of a gateway allocate between two inputs, which libFuzzer takes for a leak: its check after
            // each such input takes two thirds of the time.
            "-detect_leaks=0".to_owned(),
        ])
        .run();
    // Only a folder with something in it is kept.
    let _ = fs::remove_dir(&found);
    outcome
}

fn parse(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options {
        targets: Vec::new(),
        seconds: SECONDS,
    };
    let mut parser = Parser::from_args(arguments.to_vec());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seconds") => options.seconds = parser.value()?.parse()?,
            Value(name) => options.targets.push(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

/// The names of the targets' binaries.
fn targets(project: &Project) -> Result<Vec<String>, Failure> {
    let folder = project.path("tests/fuzz/targets/fuzz_targets");
    let entries = fs::read_dir(&folder)
        .map_err(|error| Failure::missing(format!("cannot read {}: {error}", folder.display())))?;
    let stems =
        entries.filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_string_lossy().into_owned()));
    let mut names: Vec<String> = stems.collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_seconds() {
        let parse = |line: &str| parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let options = parse("frame connect --seconds 5").expect("options");
        assert_eq!(
            (options.targets, options.seconds),
            (vec!["frame".to_owned(), "connect".into()], 5)
        );
        assert!(parse("--seconds soon").is_err());
        assert!(parse("--fast").is_err());
    }

    #[test]
    fn the_targets_are_those_of_the_folder() {
        let project = Project::locate().expect("project");
        assert!(targets(&project).expect("targets").contains(&"frame".to_owned()));
    }
}
