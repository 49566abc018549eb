//! `bench`: measures a gateway.

use std::net::ToSocketAddrs;

use super::options::{BenchOptions, ClientOptions};
use super::target::Target;
use super::{Failure, print};
use crate::bench::{BareOptions, BenchError, Wish, run, scenarios, serve_bare};

pub(super) fn bench(options: BenchOptions) -> Result<(), Failure> {
    if options.list {
        let lines: String = scenarios()
            .map(|(name, title)| format!("{name:<14} {title}\n"))
            .collect();
        return print(&lines);
    }
    if let Some(unknown) = options
        .only
        .iter()
        .find(|name| !scenarios().any(|(known, _)| known == name.as_str()))
    {
        return Err(Failure::Usage(format!(
            "there is no measurement `{unknown}` (see bench --list)"
        )));
    }
    let running = options
        .url
        .as_ref()
        .map(|url| resolve(url, &options))
        .transpose()?;
    let (address, url_token) = running.unzip();
    let report = run(Wish {
        label: options.label,
        running: address.map(|address| (address, options.pid)),
        command: options.command,
        token: options.token.or_else(|| url_token.flatten()),
        observer: options.observer,
        tracked: options.tracked,
        is_signed: !options.unsigned,
        only: options.only,
        scale: options.scale,
        is_pinned: !options.no_pin,
    })
    .map_err(|error| failure(&error))?;
    match options.json {
        Some(file) => std::fs::write(&file, report + "\n")
            .map_err(|error| Failure::Other(format!("cannot write {}: {error}", file.display()))),
        None => Ok(()),
    }
}

/// The bare server that `bench` compares with: for its own use.
pub(super) fn bare(options: &BareOptions) -> Result<(), Failure> {
    serve_bare(options).map_err(|error| failure(&error.into()))
}

fn resolve(url: &str, options: &BenchOptions) -> Result<(std::net::SocketAddr, Option<String>), Failure> {
    let target = Target::new(&ClientOptions {
        url: Some(url.to_owned()),
        port: 0,
        token: options.token.clone(),
        password: None,
        timeout: 1,
    })?;
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    let address = (host, target.port)
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| Failure::Connect(format!("{url}: no such host")))?;
    Ok((address, target.token))
}

fn failure(error: &BenchError) -> Failure {
    Failure::Other(error.to_string())
}
