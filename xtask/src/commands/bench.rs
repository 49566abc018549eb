//! `cargo xtask bench`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use lexopt::{Arg::Long, Parser, ValueExt as _};

use crate::bench::figures::{Figures, criterion};
use crate::bench::page::{met, page, table};
use crate::bench::run::this_run;
use crate::bench::targets::Measured;
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::steps::openclaw;
use crate::steps::package::build_package;
use crate::tools::node;
use crate::tools::npm::{self, Packages};
use crate::tools::wasm::{ensure_wasm_tools, has_wasm_tools};

/// Scenarios that peers support.
const PEER_SCENARIOS: [&str; 7] = ["start", "idle", "storm", "fanout", "beacons", "requests", "slow"];
/// Benchmarks of libraries.
const LIBRARIES: [&str; 2] = ["core", "wasm"];
/// Environment variables that switch off everything but presence in a peer.
const SKIPPED: [&str; 9] = [
    "CHANNELS",
    "PROVIDERS",
    "CRON",
    "GMAIL_WATCHER",
    "BROWSER_CONTROL_SERVER",
    "CANVAS_HOST",
    "STARTUP_MODEL_PREWARM",
    "ACPX_RUNTIME_PROBE",
    "ONBOARDING",
];

/// A gateway to compare with.
struct Peer {
    release: &'static str,
    /// Words between `gateway` and the options.
    words: &'static [&'static str],
    /// `client.id/client.mode` of clients that may read without a device and get no row.
    observer: &'static str,
}

const PEERS: [Peer; 2] = [
    Peer {
        release: "2026.9.6",
        words: &["run"],
        observer: "gateway-client/backend",
    },
    Peer {
        release: "2026.2.12",
        words: &[],
        observer: "cli/cli",
    },
];

/// The options of the command line.
#[derive(Debug, Default, Eq, PartialEq)]
struct Options {
    peers: bool,
    quick: bool,
    only: Vec<String>,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// Scenarios to pass to the load generator; `None` if there are none to run.
    fn scenarios(&self, known: Option<&[&'static str]>) -> Option<Vec<String>> {
        let wanted: Vec<String> = match known {
            None => self
                .only
                .iter()
                .filter(|name| !LIBRARIES.contains(&name.as_str()))
                .cloned()
                .collect(),
            Some(known) => known
                .iter()
                .filter(|name| self.wants(name))
                .map(|name| (*name).to_owned())
                .collect(),
        };
        let is_all = known.is_none() && self.only.is_empty();
        (is_all || !wanted.is_empty()).then_some(wanted)
    }
}

/// Measures our gateway, the bare server and, with `--peers`, the peers, and writes `BENCHMARKS.md`.
///
/// # Errors
/// When the command line is wrong, a build fails, or our gateway cannot be measured.
pub(crate) fn bench(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let options = parse(arguments)?;
    let folder = project.path(if options.quick {
        "target/bench-quick"
    } else {
        "target/bench"
    });
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::missing(format!("cannot create {}: {error}", folder.display())))?;
    let begun = Instant::now();
    let run = this_run(project);
    println!("building the gateway and the load generator, in release (first time: about 4 min)");
    // Separate builds: a common one would build the gateway with features that only the load generator needs.
    for package in ["presence-gateway", "presence-load"] {
        Program::cargo(project)
            .with(["build", "--release", "--package", package])
            .run()?;
    }
    if options.peers {
        node::ensure_host_node(project)?;
        npm::ensure(project, Packages::Build)?;
        openclaw::install_all(project)?;
    }
    if let Some(scenarios) = options.scenarios(None) {
        println!("\n== our gateway, and bare TCP beside it");
        let scale = if options.quick { "quick" } else { "full" };
        let program = load(project, &folder, "ours", scale, &scenarios);
        program.run()?;
        renew(&folder, "ours", &run)?;
    }
    if options.peers
        && let Some(scenarios) = options.scenarios(Some(&PEER_SCENARIOS))
    {
        for peer in &PEERS {
            println!("\n== openclaw@{}", peer.release);
            measure_peer(project, &folder, peer, &scenarios, &run)?;
        }
    }
    if options.wants("core") {
        measure_core(project, &folder, &run)?;
    }
    if options.wants("wasm") {
        measure_wasm(project, &folder, &run)?;
    }
    finish(project, &folder, &options, begun)
}

fn parse(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut parser = Parser::from_args(arguments.to_vec());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("peers") => options.peers = true,
            Long("quick") => options.quick = true,
            Long("only") => options.only.push(parser.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

/// The load generator, which writes its report into a file for [`renew`].
fn load(project: &Project, folder: &Path, name: &str, scale: &str, scenarios: &[String]) -> Program {
    let part = part_file(folder, name);
    Program::new(project, project.release_load())
        .with(["--scale", scale, "--label", name, "--json"])
        .with([part.to_string_lossy()])
        .with(scenarios.iter().flat_map(|scenario| ["--only", scenario]))
}

/// Measures a peer, with a temporary home folder.
fn measure_peer(
    project: &Project,
    folder: &Path,
    peer: &Peer,
    scenarios: &[String],
    run: &str,
) -> Result<(), Failure> {
    let name = format!("openclaw-{}", peer.release);
    let home = folder.join(format!("home-{}", peer.release));
    // An interrupted run leaves its folder behind.
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir_all(&home)
        .map_err(|error| Failure::missing(format!("cannot create {}: {error}", home.display())))?;
    let node = node::pinned_node(project)?;
    let program = openclaw::program(project, peer.release);
    let mut bench = load(project, folder, &name, "peer", scenarios)
        .with(["--observer", peer.observer, "--"])
        .with([node.to_string_lossy(), program.to_string_lossy()])
        .with(["gateway"])
        .with(peer.words)
        .with(["--allow-unconfigured", "--port", "{port}", "--auth", "token"])
        .with(["--token", "{token}", "--bind", "loopback"])
        .without_environment()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .env("OPENCLAW_HOME", &home)
        .env("OPENCLAW_STATE_DIR", home.join("state"))
        .env("OPENCLAW_CONFIG_PATH", home.join("openclaw.json"));
    for name in SKIPPED {
        bench = bench.env(&format!("OPENCLAW_SKIP_{name}"), "1");
    }
    for name in [
        "DISABLE_BONJOUR",
        "NO_AUTO_UPDATE",
        "NO_RESPAWN",
        "NODE_OPTIONS_READY",
    ] {
        bench = bench.env(&format!("OPENCLAW_{name}"), "1");
    }
    let outcome = bench.run();
    let _ = std::fs::remove_dir_all(&home);
    // A peer that cannot be measured leaves a gap in the table; the command does not fail.
    match outcome {
        Ok(()) => renew(folder, &name, run),
        Err(failure) => {
            println!("openclaw@{}: {failure}", peer.release);
            Ok(())
        }
    }
}

fn measure_core(project: &Project, folder: &Path, run: &str) -> Result<(), Failure> {
    let mut benches: Vec<String> = std::fs::read_dir(project.path("core/benches"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
        .collect();
    benches.sort();
    if benches.is_empty() {
        println!("\n== the core: there are no benches");
        return Ok(());
    }
    println!("\n== the core, by Criterion");
    Program::cargo(project)
        .with(["bench", "--package", "presence-core"])
        .with(benches.iter().flat_map(|name| ["--bench", name]))
        .run()?;
    let mut figures = criterion(&project.target().join("criterion"));
    figures.set_run(run);
    figures.write(&folder.join("core.json"))
}

fn measure_wasm(project: &Project, folder: &Path, run: &str) -> Result<(), Failure> {
    let script = project.path("wasm/bench/run.mjs");
    if !script.exists() {
        println!("\n== the npm package: there is no bench");
        return Ok(());
    }
    println!("\n== the npm package, beside plain JavaScript");
    if !has_wasm_tools(project) {
        println!("      its tools are not there yet (first time: about 4 min)");
    }
    ensure_wasm_tools(project)?;
    build_package(project)?;
    let node = node::pinned_node(project)?;
    let part = part_file(folder, "wasm");
    Program::new(project, &node)
        .with([script.to_string_lossy(), "--json".into(), part.to_string_lossy()])
        .run()?;
    let mut figures = Figures::read(&part);
    let size = "console.log(require('zlib').gzipSync(require('fs').readFileSync('wasm/dist/core.wasm'), {level: 9}).length)";
    let gzipped = Program::new(project, &node).with(["-e", size]).output();
    if let Some(bytes) = gzipped.and_then(|text| text.parse().ok()) {
        figures.set("core.gzipped", bytes, "bytes");
    }
    figures.set_run(run);
    figures.write(&folder.join("wasm.json"))
}

/// Writes the page from all kept figures.
fn finish(project: &Project, folder: &Path, options: &Options, begun: Instant) -> Result<(), Failure> {
    let read = |name: &str| Figures::read(&folder.join(format!("{name}.json")));
    let measured = Measured {
        ours: read("ours"),
        peers: PEERS
            .iter()
            .map(|peer| {
                (
                    peer.release.to_owned(),
                    read(&format!("openclaw-{}", peer.release)),
                )
            })
            .filter(|(_, figures)| !figures.is_empty())
            .collect(),
        core: read("core"),
        wasm: read("wasm"),
    };
    println!("\n{}", table(&measured));
    let (met, all) = met(&measured);
    println!(
        "{met} of {all} targets met, {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    let notes = std::fs::read_to_string(project.path("xtask/benchmarks.md")).unwrap_or_default();
    let file = if options.quick {
        folder.join("BENCHMARKS.md")
    } else {
        project.path("BENCHMARKS.md")
    };
    std::fs::write(&file, page(&measured, &machine(project), &notes))
        .map_err(|error| Failure::missing(format!("cannot write {}: {error}", file.display())))?;
    println!("written: {}", file.display());
    Ok(())
}

/// Describes the machine, as a Markdown list.
fn machine(project: &Project) -> String {
    let mut lines = String::new();
    let mut add = |line: String| {
        lines.push_str("* ");
        lines.push_str(&line);
        lines.push('\n');
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let model = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("model name")?
                .split_once(':')
                .map(|(_, name)| name.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    add(format!("{model}, {cores} cores"));
    if let Some(kilobytes) = read("/proc/meminfo").lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?
            .split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
    }) {
        add(format!("{:.0} GB of memory", kilobytes / 1024.0 / 1024.0));
    }
    let kernel = read("/proc/sys/kernel/osrelease");
    add(format!("{} {}", std::env::consts::OS, kernel.trim()));
    if let Some(version) = Program::new(project, "rustc").with(["--version"]).output() {
        add(version);
    }
    lines
}

fn part_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.part.json"))
}

/// Merges a new report into the kept one.
fn renew(folder: &Path, name: &str, run: &str) -> Result<(), Failure> {
    let file = folder.join(format!("{name}.json"));
    let mut figures = Figures::read(&file);
    let mut newer = Figures::read(&part_file(folder, name));
    newer.set_run(run);
    figures.renew(newer);
    figures.write(&file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, Failure> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn everything_is_measured_unless_something_is_named() {
        let all = options("--peers").expect("options");
        assert!(all.peers && !all.quick && all.wants("core"));
        assert_eq!(all.scenarios(None), Some(Vec::new()), "all that there are");
        assert_eq!(
            all.scenarios(Some(&PEER_SCENARIOS)).map(|list| list.len()),
            Some(PEER_SCENARIOS.len())
        );
        let some = options("--quick --only fanout --only curve --only wasm").expect("options");
        assert!(some.quick && some.wants("wasm") && !some.wants("core"));
        assert_eq!(
            some.scenarios(None),
            Some(vec!["fanout".to_owned(), "curve".to_owned()])
        );
        assert_eq!(
            some.scenarios(Some(&PEER_SCENARIOS)),
            Some(vec!["fanout".to_owned()])
        );
        let library = options("--only core").expect("options");
        assert_eq!(
            (library.scenarios(None), library.scenarios(Some(&PEER_SCENARIOS))),
            (None, None)
        );
    }

    #[test]
    fn wrong_options_are_refused() {
        for line in ["--only", "--fast", "start"] {
            assert!(options(line).is_err(), "{line}");
        }
    }
}
