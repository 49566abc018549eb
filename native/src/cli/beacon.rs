//! `beacon`: tells a gateway that this machine is alive.

use presence_core::protocol::scope;
use serde_json::{Value, json};

use super::client::{Client, Target};
use super::options::BeaconOptions;
use super::{Failure, instance, last_input};
use crate::identity;

/// A beacon about the own instance needs no scope here; other gateways ask for this one.
const SCOPES: [&str; 2] = [scope::READ, scope::ADMIN];

pub(super) async fn beacon(options: &BeaconOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    let instance_id = match &options.instance_id {
        Some(id) if id.trim().is_empty() => {
            return Err(Failure::Usage("--instance-id: it is blank".to_owned()));
        }
        Some(id) => id.clone(),
        None => instance::id()?,
    };
    let last_input_seconds = if options.no_last_input {
        None
    } else {
        last_input::seconds()
    };
    let params = params(
        options,
        &instance_id,
        identity::lan_ipv4().map(|ip| ip.to_string()),
        last_input_seconds,
    );
    let mut client = Client::connect(&target, &SCOPES, Some(&instance_id)).await?;
    client.request("system-event", Some(params)).await?;
    client.close().await;
    Ok(())
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
