//! Finds the process that holds a port, on Linux.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PROBE_TIME: Duration = Duration::from_millis(500);
const MAX_PROBE_BYTES: u64 = 4096;
/// The longest name that is shown.
#[cfg(target_os = "linux")]
const MAX_NAME_CHARS: usize = 100;

/// Explains to the user why the address is in use. `is_metrics` for that of `--metrics-bind`.
pub(super) fn explain(address: SocketAddr, is_metrics: bool) -> String {
    let holder = holder(address.port())
        .map(|holder| format!(" by {holder}"))
        .unwrap_or_default();
    let kind = if is_gateway(address) {
        ", an OpenClaw gateway (or another presence gateway)"
    } else {
        ""
    };
    let other = address.port().checked_add(1).unwrap_or(0);
    let option = if is_metrics {
        format!("address: --metrics-bind {}", SocketAddr::new(address.ip(), other))
    } else {
        format!("port: --port {other} (0 selects a free one)")
    };
    format!("{address} is in use{holder}{kind}; stop it, or use another {option}")
}

/// Whether a health check gets the answer of a gateway.
fn is_gateway(address: SocketAddr) -> bool {
    let answer = health(address).unwrap_or_default();
    let answer = String::from_utf8_lossy(&answer);
    answer.contains(r#""ok":true"#) && answer.contains(r#""status":"live""#)
}

fn health(address: SocketAddr) -> io::Result<Vec<u8>> {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let mut stream = TcpStream::connect_timeout(&SocketAddr::new(ip, address.port()), PROBE_TIME)?;
    stream.set_read_timeout(Some(PROBE_TIME))?;
    stream.set_write_timeout(Some(PROBE_TIME))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    // A part of the answer may suffice.
    let _ = stream.take(MAX_PROBE_BYTES).read_to_end(&mut answer);
    Ok(answer)
}

#[cfg(not(target_os = "linux"))]
fn holder(_port: u16) -> Option<String> {
    None
}

/// Returns name and id of the process that listens on the port, if this user may inspect it.
#[cfg(target_os = "linux")]
fn holder(port: u16) -> Option<String> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let inodes: Vec<String> = tables
        .iter()
        .flat_map(|table| table.lines().filter_map(|line| listening_inode(line, port)))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    for process in processes.filter(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .bytes()
            .all(|b| b.is_ascii_digit())
    }) {
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let mut links = files
            .flatten()
            .filter_map(|file| std::fs::read_link(file.path()).ok());
        if links.any(|link| inodes.iter().any(|inode| link.as_os_str() == inode.as_str())) {
            let name = process_name(&process.path());
            return Some(format!("{name} (pid {})", process.file_name().to_string_lossy()));
        }
    }
    None
}

/// Returns the process's full name: `comm` is cut to 15 characters.
#[cfg(target_os = "linux")]
fn process_name(folder: &std::path::Path) -> String {
    let command_line = std::fs::read(folder.join("cmdline")).unwrap_or_default();
    let comm = std::fs::read_to_string(folder.join("comm")).unwrap_or_default();
    whole_name(&String::from_utf8_lossy(&command_line), comm.trim())
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME_CHARS)
        .collect()
}

/// Returns the file name on the command line if `comm` is its beginning, else `comm`: processes may rename themselves.
#[cfg(target_os = "linux")]
fn whole_name<'a>(command_line: &'a str, comm: &'a str) -> &'a str {
    let first = command_line.split('\0').next().unwrap_or("");
    let file_name = first.rsplit('/').next().unwrap_or(first);
    if file_name.len() > comm.len() && file_name.starts_with(comm) {
        file_name
    } else {
        comm
    }
}

/// Returns the socket's inode if a line of `/proc/net/tcp` describes a listener on this port.
#[cfg(target_os = "linux")]
fn listening_inode(line: &str, port: u16) -> Option<&str> {
    let columns: Vec<&str> = line.split_ascii_whitespace().collect();
    let (_, hex_port) = columns.get(1)?.rsplit_once(':')?;
    let is_ours = u16::from_str_radix(hex_port, 16).ok()? == port && *columns.get(3)? == "0A";
    is_ours.then(|| columns.get(9).copied())?
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_found_and_the_flag_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let text = explain(listener.local_addr().unwrap(), false);
        assert!(text.contains(&format!("(pid {})", std::process::id())), "{text}");
        assert!(text.contains("--port"), "{text}");
        assert!(!text.contains("OpenClaw"), "{text}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn names_are_whole_and_chosen_names_stay() {
        assert_eq!(
            whole_name("/opt/bin/presence-gateway\0serve\0", "presence-gatewa"),
            "presence-gateway"
        );
        assert_eq!(whole_name("node\0/srv/app.js\0", "openclaw"), "openclaw");
        assert_eq!(whole_name("", "kworker"), "kworker");
    }

    #[test]
    fn a_gateway_is_recognised_by_its_health() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]).unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"ok\":true,\"status\":\"live\"}")
                .unwrap();
        });
        assert!(is_gateway(address));
        server.join().unwrap();
    }
}
