//! One run of the load generator.

use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use crate::bench::Bench;
use crate::certificate::{self, Certificate};
use crate::error::BenchError;
use crate::launcher::{Launcher, Source};
use crate::options::Options;
use crate::print;
use crate::profiles::Profiles;
use crate::progress::Progress;
use crate::report::Report;
use crate::scenario;
use crate::system;

/// Measures. Prints a table per scenario and returns the report as JSON.
///
/// # Errors
/// [`BenchError`] when every scenario fails. A single failure is a note in the report.
pub(crate) fn run(options: &Options) -> Result<String, BenchError> {
    let is_pinned = !options.no_pin;
    let mut bench = prepare(options)?;
    bench.describe(is_pinned);
    let chosen: Vec<_> = scenario::ALL
        .iter()
        .filter(|scenario| options.only.is_empty() || options.only.iter().any(|name| name == scenario.name))
        .collect();
    let mut failures = 0;
    for (index, scenario) in chosen.iter().enumerate() {
        print(&format!(
            "[{}/{}] {}: {}\n",
            index + 1,
            chosen.len(),
            scenario.name,
            scenario.title
        ));
        let first = bench.report.figures.len();
        if let Err(error) = (scenario.run)(&mut bench) {
            failures += 1;
            bench.report.note(format!("{}: {error}", scenario.name));
            print(&format!("  failed: {error}\n"));
        }
        bench.progress.clear();
        print(&bench.report.table(first));
    }
    for note in &bench.report.notes {
        print(&format!("note: {note}\n"));
    }
    if failures == chosen.len() {
        return Err(BenchError::Gateway("every measurement failed".to_owned()));
    }
    Ok(bench.report.to_json())
}

/// Prepares a run.
fn prepare(options: &Options) -> Result<Bench, BenchError> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(io::Error::from)?;
    let run = u64::from_ne_bytes(seed);
    let url_token = options.url.as_ref().and_then(|url| url.token.clone());
    let token = options
        .token
        .clone()
        .or(url_token)
        .unwrap_or_else(|| format!("{run:016x}{run:016x}x"));
    let source = match &options.url {
        Some(url) => Source::Running(url.address, options.pid),
        None if options.command.is_empty() => Source::Gateway(match &options.gateway {
            Some(path) => path.clone(),
            None => sibling_gateway()?,
        }),
        None => Source::Command(options.command.clone()),
    };
    let (ca, pin) = (options.tls_ca.as_deref(), options.tls_fingerprint);
    let is_encrypted = options.url.as_ref().is_some_and(|url| url.is_encrypted);
    let trust = is_encrypted.then(|| certificate::trusting(ca, pin)).transpose()?;
    let bare = is_encrypted.then(Certificate::new).transpose()?;
    Ok(Bench {
        report: Report {
            label: options.label.clone(),
            ..Report::default()
        },
        launcher: Launcher {
            source,
            token: token.clone(),
            cores: if options.no_pin { None } else { system::cores() },
            certificate: bare.map(Rc::new),
            trust,
        },
        profiles: Profiles {
            token,
            observer: options.observer.clone(),
            tracked: options.tracked.clone(),
            is_signed: !options.unsigned,
            run,
        },
        size: options.scale.size(),
        progress: Progress::new(),
        files: system::raise_open_files(),
    })
}

/// The gateway that cargo built beside this program, in the same profile.
fn sibling_gateway() -> io::Result<PathBuf> {
    let name = format!("presence-gateway{}", std::env::consts::EXE_SUFFIX);
    Ok(std::env::current_exe()?.with_file_name(name))
}
