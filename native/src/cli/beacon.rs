//! `beacon`: sends beacons about this machine.

use std::io::IsTerminal;

use presence_core::client::{BeaconPolicy, ClientConfig, ClientEvent, ClientState};
use presence_core::model::entry::MAX_STRING_UNITS;
use presence_core::model::placeholder::Kind;
use presence_core::model::setting::within;
use presence_core::model::{ClientInfo, scope};

use super::client::{Link, client_info, in_time, words};
use super::options::{BeaconOptions, EVERY_MS, Target, refused};
use super::signals::Signals;
use super::stderr::print_note;
use super::{Failure, instance};

/// This gateway needs no scope for a beacon about the own instance; others require `operator.admin`.
const SCOPES: [&str; 2] = [scope::READ, scope::ADMIN];
const METHOD: &str = "system-event";

pub(super) async fn beacon(options: &BeaconOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    if let Some(every) = options.every {
        within("every_ms", every, EVERY_MS).map_err(|error| Failure::Usage(refused(error).to_string()))?;
    }
    let instance_id = match &options.instance_id {
        Some(id) => id.trim().to_owned(),
        None => instance::id(),
    };
    for (name, kind, text) in [
        ("instance-id", Some(Kind::Id), Some(&instance_id)),
        ("host", Some(Kind::Host), options.host.as_ref()),
        ("mode", None, Some(&options.mode)),
        ("reason", None, Some(&options.reason)),
    ] {
        if let Some(text) = text {
            check_text(name, kind, text)?;
        }
    }
    let mut link = Link::new(target.clone(), config(options, &instance_id))?;
    link.report_machine(options.last_input);
    if !options.last_input && !options.no_last_input && std::io::stderr().is_terminal() {
        print_note(
            "the last input is not reported; --last-input reports it, --no-last-input hides this line",
        );
    }
    if options.every.is_some() {
        return keep_sending(link).await;
    }
    in_time(&target, async {
        link.connect().await?;
        let params = link.beacon_params(&options.reason);
        link.call(METHOD, &params).await
    })
    .await?;
    link.stop().await;
    Ok(())
}

/// Rejects texts that gateways refuse or ignore.
fn check_text(name: &str, kind: Option<Kind>, text: &str) -> Result<(), Failure> {
    let why = if text.trim().is_empty() {
        "must not be blank".to_owned()
    } else if text.encode_utf16().count() > MAX_STRING_UNITS {
        format!("must have at most {MAX_STRING_UNITS} UTF-16 units")
    } else if kind.is_some_and(|kind| kind.is_placeholder(text)) {
        format!(
            "gateways ignore the placeholder `{}`; use another value",
            text.trim()
        )
    } else {
        return Ok(());
    };
    Err(Failure::Usage(format!("--{name}: {why}")))
}

/// Returns the client's configuration: core makes the beacons and, with `--every`, schedules them.
fn config(options: &BeaconOptions, instance_id: &str) -> ClientConfig {
    let info = client_info();
    let beacons = match &options.every {
        Some(every) => BeaconPolicy::every(*every),
        None => BeaconPolicy::Off,
    };
    ClientConfig {
        scopes: Some(SCOPES.map(Box::from).to_vec()),
        beacon_mode: Some(options.mode.as_str().into()),
        beacons,
        ..ClientConfig::new(ClientInfo {
            instance_id: Some(instance_id.into()),
            display_name: options.host.as_deref().map(Box::from).or(info.display_name),
            ..info
        })
    }
}

/// Runs the client, which sends beacons by its policy, until a signal.
async fn keep_sending(mut link: Link) -> Result<(), Failure> {
    let stop = Signals::new(false)?.wait();
    tokio::pin!(stop);
    link.start();
    loop {
        tokio::select! {
            () = &mut stop => break,
            event = link.next() => match event {
                ClientEvent::State { state, problem } => {
                    let problem = problem.map(|problem| words(&problem)).unwrap_or_default();
                    match state {
                        ClientState::Live => print_note(&format!("live: {}", link.url())),
                        ClientState::Waiting { at_ms } => {
                            let seconds = at_ms.saturating_sub(link.now().age_ms).div_ceil(1_000);
                            print_note(&format!("retrying in {seconds} s: {problem}"));
                        }
                        ClientState::Refused => {
                            return Err(Failure::Refused(format!("{}: {problem}", link.url())));
                        }
                        _ => {}
                    }
                }
                ClientEvent::BeaconRefused(problem) => {
                    link.stop().await;
                    return Err(Failure::Refused(format!("{METHOD}: {}", words(&problem))));
                }
                _ => {}
            },
        }
    }
    link.stop().await;
    Ok(())
}
