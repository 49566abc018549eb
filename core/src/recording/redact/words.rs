//! Usual words of programs about clients, which stay readable in recordings.

use core::net::Ipv4Addr;

/// Most characters of a text that is kept.
const MAX_KNOWN: usize = 64;
/// Longest run of digits that is kept: a date or the number of a build, but no telephone number.
const MAX_DIGITS: usize = 8;

/// Of modes, reasons, programs, platforms, models, versions, roles and scopes; in lower case, sorted.
#[rustfmt::skip]
const WORDS: [&str; 127] = [
    "aarch", "admin", "again", "alive", "alpha", "amd", "android", "app", "apple", "appletv", "approvals",
    "arch", "arm", "backend", "background", "beacon", "beta", "bot", "browser", "build", "chrome", "chromeos",
    "cli", "client", "config", "connect", "connected", "control", "darwin", "dashboard", "debian", "desktop",
    "dev", "disconnect", "disconnected", "edge", "electron", "eth", "failed", "firefox", "foreground",
    "freebsd", "gap", "gateway", "gmt", "haiku", "headless", "heartbeat", "host", "imac", "input",
    "instances", "ios", "ipad", "ipados", "iphone", "js", "kiosk", "last", "launch", "linux", "local", "mac",
    "macbook", "macbookair", "macbookpro", "macmini", "macos", "mobile", "mode", "node", "none", "openclaw",
    "operator", "pairing", "pc", "periodic", "phone", "pi", "ping", "pong", "presence", "preview", "probe",
    "push", "raspberry", "rc", "read", "realitydevice", "reason", "reconnect", "refresh", "release", "remote",
    "resume", "safari", "self", "seq", "server", "silent", "sleep", "start", "startup", "status", "swift",
    "tablet", "test", "timer", "tui", "tv", "ubuntu", "ui", "utc", "v", "vision", "visionos", "voice", "wake",
    "watch", "watchos", "web", "webchat", "win", "windows", "wlan", "write", "x",
];

/// Names of programs of OpenClaw. A client without a name is listed under that of its program.
const PROGRAMS: [&str; 13] = [
    "cli",
    "fingerprint",
    "gateway-client",
    "node-host",
    "openclaw-android",
    "openclaw-control-ui",
    "openclaw-ios",
    "openclaw-macos",
    "openclaw-probe",
    "openclaw-tui",
    "test",
    "webchat",
    "webchat-ui",
];
/// Labels in the grammar of a beacon's text. The values beside them are redacted as names.
const LABELS: [&str; 8] = ["ago", "app", "gateway", "input", "last", "mode", "node", "reason"];

/// Whether it consists of words that do not identify a person or a machine, and of numbers that are not an address.
pub(super) fn is_known(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    let mut versions = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    text.len() <= MAX_KNOWN
        && text.chars().all(|c| c.is_ascii() || !c.is_alphanumeric())
        && text.matches(':').count() <= 1
        && numbers.all(|number| number.len() <= MAX_DIGITS)
        && versions.all(|version| version.trim_matches('.').parse::<Ipv4Addr>().is_err())
        && words.all(|word| word.is_empty() || is_one_of(&WORDS, word))
}

pub(super) fn is_label(word: &str) -> bool {
    is_one_of(&LABELS, word)
}

pub(super) fn is_program(name: &str) -> bool {
    is_one_of(&PROGRAMS, name.trim())
}

/// `words` are in lower case and sorted.
fn is_one_of(words: &[&str], word: &str) -> bool {
    let lowered = word.bytes().map(|byte| byte.to_ascii_lowercase());
    let found = words.binary_search_by(|known| known.bytes().cmp(lowered.clone()));
    found.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted() {
        assert!(WORDS.is_sorted() && LABELS.is_sorted() && PROGRAMS.is_sorted());
    }
}
