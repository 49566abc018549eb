//! `beacon`: tells a gateway that this machine is alive.

use presence_core::client::{ClientEvent, ClientState, Json};
use presence_core::protocol::scope;
use serde_json::{Value, json};

use super::client::{Link, in_time, words};
use super::options::BeaconOptions;
use super::signals::Signals;
use super::target::Target;
use super::{Failure, instance, last_input};
use crate::identity;

/// A beacon about the own instance needs no scope here; other gateways ask for this one.
const SCOPES: [&str; 2] = [scope::READ, scope::ADMIN];
const METHOD: &str = "system-event";
/// The shortest interval: more beacons say nothing more.
const MIN_EVERY_MS: u64 = 1_000;

pub(super) async fn beacon(options: &BeaconOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    let every_ms = options.every.map(|span| span.ms);
    if every_ms.is_some_and(|ms| ms < MIN_EVERY_MS) {
        return Err(Failure::Usage("--every: at least 1s".to_owned()));
    }
    let instance_id = match &options.instance_id {
        Some(id) if id.trim().is_empty() => {
            return Err(Failure::Usage("--instance-id: it is blank".to_owned()));
        }
        Some(id) => id.clone(),
        None => instance::id()?,
    };
    let mut link = Link::new(target.clone(), &SCOPES, Some(&instance_id))?;
    if let Some(every_ms) = every_ms {
        return keep_sending(link, options, &instance_id, every_ms).await;
    }
    in_time(&target, async {
        link.connect().await?;
        link.call(METHOD, &params_now(options, &instance_id)).await
    })
    .await?;
    link.stop().await;
    Ok(())
}

/// A beacon after every connect and then at every interval, until the program is told to stop.
async fn keep_sending(
    mut link: Link,
    options: &BeaconOptions,
    instance_id: &str,
    every_ms: u64,
) -> Result<(), Failure> {
    let stop = Signals::new()?.wait();
    tokio::pin!(stop);
    let mut timer = tokio::time::interval(std::time::Duration::from_millis(every_ms));
    // After a pause one beacon says all that the missed ones would have.
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_live = false;
    link.start();
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = timer.tick(), if is_live => {
                // Without a connection there is no answer either; the state says so.
                let _ = link.request(METHOD, &params_now(options, instance_id));
            }
            event = link.next() => match event {
                ClientEvent::State { state, problem } => {
                    is_live = state == ClientState::Live;
                    let problem = problem.map(|problem| words(&problem)).unwrap_or_default();
                    match state {
                        ClientState::Live => {
                            timer.reset_immediately();
                            eprintln!("presence-gateway: live: {}", link.url());
                        }
                        ClientState::Waiting { at_ms } => {
                            let seconds = at_ms.saturating_sub(link.now().age_ms).div_ceil(1_000);
                            eprintln!("presence-gateway: retrying in {seconds} s: {problem}");
                        }
                        ClientState::Refused => {
                            return Err(Failure::Refused(format!("{}: {problem}", link.url())));
                        }
                        _ => {}
                    }
                }
                ClientEvent::Response { result: Err(problem), .. } if !is_passing(&problem.code) => {
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

/// Whether the next beacon may fare better.
fn is_passing(code: &str) -> bool {
    matches!(code, "DISCONNECTED" | "TIMEOUT" | "UNAVAILABLE" | "RATE_LIMITED")
}

/// What this machine is now.
fn params_now(options: &BeaconOptions, instance_id: &str) -> Json {
    let last_input_seconds = if options.no_last_input {
        None
    } else {
        last_input::seconds()
    };
    let ip = identity::lan_ipv4().map(|ip| ip.to_string());
    let params = params(options, instance_id, ip, last_input_seconds).to_string();
    Json::parse(&params).unwrap_or_default()
}

fn params(options: &BeaconOptions, instance_id: &str, ip: Option<String>, last_input: Option<u64>) -> Value {
    let host = options.host.clone().unwrap_or_else(identity::hostname);
    let version = env!("CARGO_PKG_VERSION");
    let (mode, reason) = (&options.mode, &options.reason);
    let shown_ip = ip.as_ref().map(|ip| format!(" ({ip})")).unwrap_or_default();
    let shown_input = last_input
        .map(|seconds| format!(" · last input {seconds}s ago"))
        .unwrap_or_default();
    let mut params = json!({
        "text": format!("Node: {host}{shown_ip} · app {version}{shown_input} · mode {mode} · reason {reason}"),
        "instanceId": instance_id,
        "host": host,
        "version": version,
        "platform": identity::platform(),
        "deviceFamily": identity::device_family(),
        "mode": mode,
        "reason": reason,
    });
    let optional = [
        ("ip", ip.map(Value::from)),
        ("modelIdentifier", identity::model_identifier().map(Value::from)),
        ("lastInputSeconds", last_input.map(Value::from)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            params[name] = value;
        }
    }
    params
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::options::{Cli, Command};
    use super::*;

    fn options(arguments: &[&str]) -> BeaconOptions {
        let cli = Cli::try_parse_from([&["presence-gateway", "beacon"], arguments].concat()).unwrap();
        let Some(Command::Beacon(options)) = cli.command else {
            panic!("no beacon")
        };
        options
    }

    #[test]
    fn a_full_beacon_follows_the_grammar() {
        let params = params(
            &options(&["--host", "studio"]),
            "id-1",
            Some("10.0.0.5".to_owned()),
            Some(7),
        );
        let version = env!("CARGO_PKG_VERSION");
        let text = format!(
            "Node: studio (10.0.0.5) · app {version} · last input 7s ago · mode cli · reason periodic"
        );
        assert_eq!(params["text"], text);
        assert_eq!(params["lastInputSeconds"], 7);
        assert_eq!(params["ip"], "10.0.0.5");
    }

    #[test]
    fn what_is_unknown_is_absent() {
        let params = params(&options(&["--reason", "launch"]), "id-1", None, None);
        assert!(params.get("ip").is_none() && params.get("lastInputSeconds").is_none());
        assert_eq!(params["reason"], "launch");
        assert!(!params["text"].as_str().unwrap().contains("last input"));
    }
}
