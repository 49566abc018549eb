//! Facts about this machine, and the gateway's own row (reference 1.6, SEP column).

mod interfaces;

use presence_core::PresenceEntry;
use presence_core::model::placeholder::Kind;

pub(crate) use crate::identity::interfaces::lan_ipv4;

/// Longest model name, in characters.
const MAX_MODEL_CHARS: usize = 64;

/// Returns the gateway's own row, with this version.
pub(crate) fn self_entry(version: &str) -> PresenceEntry {
    let host = hostname();
    let ip = lan_ipv4().map_or_else(|| host.clone(), |ip| ip.to_string());
    let text = format!("Gateway: {host} ({ip}) · app {version} · mode gateway · reason self");
    PresenceEntry {
        host: Some(host.into()),
        ip: Some(ip.into()),
        version: Some(version.into()),
        platform: Some(platform().into()),
        device_family: Some(device_family().into()),
        model_identifier: model_identifier().map(Into::into),
        mode: Some("gateway".into()),
        reason: Some("self".into()),
        text: Some(text.into()),
        instance_id: Some(uuid::Uuid::new_v4().to_string().into()),
        ..PresenceEntry::default()
    }
}

/// The name of this machine.
pub(crate) fn hostname() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    host_or_localhost(name)
}

/// Linux names a machine without a host name `(none)`.
fn host_or_localhost(name: String) -> String {
    if name.trim().is_empty() || Kind::Host.is_placeholder(&name) {
        "localhost".to_owned()
    } else {
        name
    }
}

/// The operating system in the form of clients: `linux 6.1.0`, `macos 15.5`.
pub(crate) fn platform() -> String {
    let name = std::env::consts::OS;
    let version = match name {
        "macos" => output_of("sw_vers", &["-productVersion"]).or_else(kernel_release),
        _ => kernel_release(),
    };
    format!("{name} {}", version.unwrap_or_default())
        .trim_end()
        .to_owned()
}

/// The hardware family in the form of clients.
pub(crate) fn device_family() -> &'static str {
    match std::env::consts::OS {
        "macos" => "Mac",
        "windows" => "Windows",
        "linux" => "Linux",
        other => other,
    }
}

/// The machine's model: from the firmware on Linux, from the system on macOS.
pub(crate) fn model_identifier() -> Option<String> {
    if cfg!(target_os = "macos") {
        clean_model(&output_of("sysctl", &["-n", "hw.model"])?)
    } else if cfg!(target_os = "linux") {
        [
            "/sys/devices/virtual/dmi/id/product_name",
            "/proc/device-tree/model",
        ]
        .iter()
        .find_map(|path| clean_model(&String::from_utf8_lossy(&std::fs::read(path).ok()?)))
    } else {
        None
    }
}

/// Placeholders of firmware without a model name, in lower case.
const NO_MODELS: [&str; 19] = [
    "to be filled by o.e.m.",
    "to be filled by o.e.m",
    "to be filled by oem",
    "o.e.m.",
    "oem",
    "system product name",
    "product name",
    "system name",
    "default string",
    "default",
    "not applicable",
    "not specified",
    "not available",
    "unknown",
    "undefined",
    "none",
    "n/a",
    "null",
    "invalid",
];

/// Firmware strings end in NUL and may hold anything; `None` where they name no model.
fn clean_model(raw: &str) -> Option<String> {
    let printable: String = raw.chars().filter(|c| !c.is_control()).collect();
    let model = printable.trim();
    let is_model =
        model.chars().any(char::is_alphanumeric) && !NO_MODELS.contains(&model.to_lowercase().as_str());
    let cut: String = model.chars().take(MAX_MODEL_CHARS).collect();
    is_model.then(|| cut.trim_end().to_owned())
}

fn kernel_release() -> Option<String> {
    #[cfg(unix)]
    {
        Some(rustix::system::uname().release().to_string_lossy().into_owned())
    }
    #[cfg(not(unix))]
    {
        None
    }
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_self_row_is_complete() {
        let entry = self_entry("1.2.3");
        let host = entry.host.as_deref().unwrap();
        let ip = entry.ip.as_deref().unwrap();
        assert_eq!(
            entry.text.as_deref(),
            Some(format!("Gateway: {host} ({ip}) · app 1.2.3 · mode gateway · reason self").as_str())
        );
        assert_eq!(
            (entry.mode.as_deref(), entry.reason.as_deref()),
            (Some("gateway"), Some("self"))
        );
        assert!(entry.platform.as_deref().unwrap().contains(' ') || cfg!(windows));
        assert_ne!(entry.instance_id, self_entry("1.2.3").instance_id);
    }

    #[test]
    fn a_machine_without_a_name_is_localhost() {
        for name in ["", " ", "(none)", "undefined", "Unknown"] {
            assert_eq!(host_or_localhost(name.to_owned()), "localhost");
        }
        assert_eq!(host_or_localhost("none".to_owned()), "none");
    }

    #[test]
    fn firmware_strings_are_cleaned() {
        assert_eq!(
            clean_model("Raspberry Pi 5 Model B Rev 1.0\0").as_deref(),
            Some("Raspberry Pi 5 Model B Rev 1.0")
        );
        assert_eq!(clean_model(" \n\0"), None);
        for nothing in [
            "To Be Filled By O.E.M.\n",
            "System Product Name",
            "Default string",
            " N/A ",
            "...",
            "-",
        ] {
            assert_eq!(clean_model(nothing), None, "{nothing}");
        }
        assert_eq!(
            clean_model("Standard PC (Q35 + ICH9, 2009)\n").as_deref(),
            Some("Standard PC (Q35 + ICH9, 2009)")
        );
        assert_eq!(clean_model(&"x".repeat(200)).unwrap().len(), 64);
    }
}
